import { ERRORS, type ErrorEntry, HubError, type Server } from "@elara/contracts";

const TABLE: Readonly<Record<string, ErrorEntry>> = ERRORS;

/** HTTP status of a failed start: the table's for the hub's own codes, the plugin's for its own. */
const statusOf = ({ code, status }: Server["cause"]): number => TABLE[code]?.status ?? status ?? 500;

/** A failed start as an error for its owner: code and sentence of the cause. */
export const failureOf = (server: Pick<Server, "cause">): HubError => {
  const { code, message, operator } = server.cause;
  return code === ""
    ? new HubError("SPAWN_CANCELLED")
    : new HubError(code, { message, operator, status: statusOf(server.cause) });
};

/** Why a server that is not running failed to start or ended by itself, for its owner; undefined where nothing went wrong. */
export const faultOf = ({
  phase,
  cause: { code, message },
}: Pick<Server, "phase" | "cause">): { readonly message: string; readonly code: string } | undefined =>
  (phase === "failed" || phase === "stopped") && code !== "" && code !== "SPAWN_CANCELLED"
    ? { message, code }
    : undefined;
