import type { Server } from "@elara/contracts";

/** What JupyterHub's clients see of a server's life (contract §5.1). */
export interface ServerState {
  readonly pending: "spawn" | "stop" | "check" | null;
  readonly ready: boolean;
  readonly active: boolean;
}

/** Wanted again while the last start, or what it may have left, is still being cleared away. */
export const startsAgain = ({ phase, desired }: Pick<Server, "phase" | "desired">): boolean =>
  desired === "running" && (phase === "stopped" || phase === "failed");

/** Maps phase and desired state of the ledger. A ready server whose backend does not answer is "check": taken to be there. */
export function serverState(
  server: Pick<Server, "phase" | "phaseBefore" | "desired" | "deletedAt">,
): ServerState {
  if (server.deletedAt !== "") return { pending: null, ready: false, active: false };
  switch (server.phase) {
    case "requested":
    case "queued":
    case "starting":
      return pending(server.desired === "running" ? "spawn" : "stop");
    case "ready":
      return server.desired === "running" ? { pending: null, ready: true, active: true } : pending("stop");
    case "stopping":
      return pending("stop");
    case "unknown":
      if (server.phaseBefore === "stopping" || server.desired === "stopped") return pending("stop");
      return pending(server.phaseBefore === "ready" ? "check" : "spawn");
    case "stopped":
    case "failed":
      if (startsAgain(server)) return pending("spawn");
      return { pending: null, ready: false, active: false };
  }
}

const pending = (what: "spawn" | "stop" | "check"): ServerState => ({
  pending: what,
  ready: false,
  active: true,
});

/** True while notebooks at this address may be used: ready, or ready before the backend stopped answering. */
export const isReachable = (
  server: Pick<Server, "phase" | "phaseBefore" | "desired" | "deletedAt">,
): boolean =>
  serverState(server).ready ||
  (server.phase === "unknown" && server.phaseBefore === "ready" && server.deletedAt === "");
