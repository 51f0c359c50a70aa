import { Type } from "typebox";
import { Cause } from "../documents/server.ts";
import { Id, Time } from "../scalar.ts";
import { fact, notice } from "./contract.ts";

const ServerData = {
  userId: Id,
  serverId: Id,
  userName: Type.String(),
  serverName: Type.String(),
  generation: Type.Integer(),
};

export const ServerCreated = fact(
  "server.created",
  "A server has a record; nothing runs yet.",
  Type.Object(ServerData),
);
export const ServerRequested = fact(
  "server.requested",
  "A start was accepted and is in the ledger; nothing was submitted yet.",
  Type.Object({ ...ServerData, backend: Type.String(), profile: Type.String() }),
);
export const ServerStarting = fact(
  "server.starting",
  "The backend took the start; its handle is stored.",
  Type.Object({ ...ServerData, backend: Type.String() }),
);
export const ServerQueued = fact(
  "server.queued",
  "The backend has it and lets it wait; `reason` says for what, where it is known.",
  Type.Object({ ...ServerData, backend: Type.String(), reason: Type.String() }),
);
export const ServerAllocated = fact(
  "server.allocated",
  "It waits no longer: the backend starts it.",
  Type.Object({ ...ServerData, backend: Type.String() }),
);
export const ServerEndKnown = fact(
  "server.end_known",
  "When its allocation ends (walltime) became known, or changed.",
  Type.Object({ ...ServerData, endsAt: Time }),
);
export const ServerAdopted = fact(
  "server.adopted",
  "Another process of the hub drives it now: the one before is gone. The server was not touched.",
  Type.Object({ ...ServerData, driver: Type.String(), before: Type.String() }),
);
export const ServerStartDeferred = fact(
  "server.start_deferred",
  "A start was accepted while it still ends; it begins when it has ended, with `server.requested`.",
  Type.Object(ServerData),
);
export const ServerStopping = fact(
  "server.stopping",
  "It is being ended without an order to stop: `server.stopped` or `server.unknown` follows.",
  Type.Object(ServerData),
);
export const ServerReady = fact(
  "server.ready",
  "The server answers and may be routed.",
  Type.Object({ ...ServerData, path: Type.String(), startMs: Type.Integer() }),
);
export const ServerStartFailed = fact(
  "server.start_failed",
  "The start ended without a server.",
  Type.Object({ ...ServerData, cause: Cause }),
);
export const ServerStopRequested = fact(
  "server.stop_requested",
  "A stop was accepted.",
  Type.Object({ ...ServerData, reason: Type.String() }),
);
export const ServerStopped = fact(
  "server.stopped",
  "The server is gone from its backend: stopped on request, or ended by itself (then with a cause).",
  Type.Object({ ...ServerData, cause: Cause }),
);
export const ServerUnknown = fact(
  "server.unknown",
  "The backend does not answer for it; route and clocks are kept.",
  Type.Object({ ...ServerData, reason: Type.String() }),
);
export const ServerFound = fact(
  "server.found",
  "A server that was unknown is observed again.",
  Type.Object({ ...ServerData }),
);
export const ServerDeleted = fact(
  "server.deleted",
  "The server's record was removed.",
  Type.Object(ServerData),
);
export const ServerCulling = fact(
  "server.culling",
  "The culler is about to stop this server, with the activity it saw.",
  Type.Object({ ...ServerData, reason: Type.String(), lastActivity: Type.String() }),
);

export const ServerProgress = notice(
  "server.progress",
  "One step of a start or stop; the full list is in spawn_logs.",
  Type.Object({
    ...ServerData,
    at: Time,
    step: Type.String(),
    message: Type.String(),
    progress: Type.Integer(),
  }),
);
export const ServerChanged = notice(
  "server.changed",
  "The server's ledger entry changed; read it. Hastens route tables and pages.",
  Type.Object({ userId: Id, serverId: Id, path: Type.String(), routed: Type.Boolean(), url: Type.String() }),
);
