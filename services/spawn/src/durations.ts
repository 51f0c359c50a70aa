import type { Server } from "@elara/contracts";
import { observe } from "@elara/runtime/metrics/meter";

/** Seconds from one time of a document to another; never negative, clocks of replicas differ. */
export const secondsBetween = (from: string, to: string): number =>
  Math.max(0, (Date.parse(to) - Date.parse(from)) / 1000);

/** JupyterHub's word for a refusal by a limit. */
const REFUSED: Readonly<Record<string, string>> = {
  SPAWN_TOO_MANY: "throttled",
  SPAWN_ACTIVE_LIMIT: "too-many-users",
  SERVER_NAMED_LIMIT: "too-many-servers",
};

/** Counts a start that came to nothing; counted by whoever wrote it into the ledger, so once. */
export function countFailure({ requestedAt }: Pick<Server, "requestedAt">, code: string, at: string): void {
  const refused = REFUSED[code];
  observe("server_spawn_duration_seconds", secondsBetween(requestedAt, at), {
    status: refused === undefined ? "error" : "failure",
    reason: refused ?? code,
  });
}
