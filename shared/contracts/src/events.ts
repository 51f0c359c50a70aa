import { type Static, type TObject, Type } from "typebox";
import { LastTimes } from "./documents/activity.ts";
import { Cause } from "./documents/server.ts";
import { Id, Time } from "./scalar.ts";

/**
 * What happened. A `fact` is written with the change it tells of and reaches the bus at least once;
 * a `notice` only hastens what others would find out anyway and may be lost.
 */
export interface EventContract<S extends TObject = TObject> {
  /** `entity.action`, e.g. `server.ready`. */
  readonly type: string;
  readonly kind: "fact" | "notice";
  readonly summary: string;
  readonly data: S;
}

const fact = <S extends TObject>(type: string, summary: string, data: S): EventContract<S> => ({
  type,
  kind: "fact",
  summary,
  data,
});
const notice = <S extends TObject>(type: string, summary: string, data: S): EventContract<S> => ({
  type,
  kind: "notice",
  summary,
  data,
});

/** CloudEvents 1.0, structured JSON. `seq` is the document's own event counter, gapless. */
export const CloudEvent = Type.Object({
  specversion: Type.Literal("1.0"),
  id: Type.String({ minLength: 1 }),
  source: Type.String(),
  type: Type.String(),
  /** The document: `users/{userId}`, `users/{userId}/servers/{serverId}`, `users/{userId}/tokens/{publicId}`. */
  subject: Type.String(),
  time: Time,
  datacontenttype: Type.Literal("application/json"),
  seq: Type.Integer({ minimum: 0 }),
  partitionkey: Type.String(),
  /** Who caused it: `user:{id}`, `service:{name}`, `system:culler`. */
  actor: Type.String(),
  causationid: Type.Optional(Type.String()),
  traceparent: Type.Optional(Type.String()),
  data: Type.Record(Type.String(), Type.Unknown()),
});
export type CloudEvent = Static<typeof CloudEvent>;

const ServerData = {
  userId: Id,
  serverId: Id,
  userName: Type.String(),
  serverName: Type.String(),
  generation: Type.Integer(),
};
const UserData = { userId: Id, name: Type.String() };
const TokenData = {
  userId: Type.String(),
  publicId: Type.String(),
  kind: Type.String(),
  note: Type.String(),
};

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
export const ActivitySeen = notice(
  "activity.seen",
  "Last times seen by a proxy or web replica since its last report; folded by spawn. At most 500 entries.",
  Type.Object({
    entries: Type.Array(Type.Object({ userId: Id, key: Type.String(), last: LastTimes }), { maxItems: 500 }),
  }),
);
export const RouteAdded = notice(
  "route.added",
  "A proxy has a route for this path.",
  Type.Object({ path: Type.String(), proxy: Type.String(), userId: Type.String(), serverId: Type.String() }),
);
export const RouteRemoved = notice(
  "route.removed",
  "A proxy dropped the route for this path.",
  Type.Object({ path: Type.String(), proxy: Type.String(), userId: Type.String(), serverId: Type.String() }),
);

export const UserCreated = fact(
  "user.created",
  "A user was created, by first login or by an administrator.",
  Type.Object({ ...UserData, admin: Type.Boolean() }),
);
export const UserUpdated = fact(
  "user.updated",
  "Name or admin flag changed.",
  Type.Object({ ...UserData, changed: Type.Array(Type.String()) }),
);
export const UserDeleted = fact(
  "user.deleted",
  "A user was deleted; the id is never used again.",
  Type.Object(UserData),
);
export const UserLoggedIn = fact(
  "user.logged_in",
  "A browser session began.",
  Type.Object({ ...UserData, authenticator: Type.String() }),
);
export const UserLoggedOut = fact(
  "user.logged_out",
  "A browser session ended by log-out.",
  Type.Object(UserData),
);

export const TokenCreated = fact("token.created", "An API token was made.", Type.Object(TokenData));
export const TokenRevoked = fact("token.revoked", "An API token was revoked.", Type.Object(TokenData));

/** Every event there is; EVENTS.md is generated from it. */
export const events = {
  ServerRequested,
  ServerStarting,
  ServerReady,
  ServerStartFailed,
  ServerStopRequested,
  ServerStopped,
  ServerUnknown,
  ServerFound,
  ServerDeleted,
  ServerCulling,
  ServerProgress,
  ServerChanged,
  ActivitySeen,
  RouteAdded,
  RouteRemoved,
  UserCreated,
  UserUpdated,
  UserDeleted,
  UserLoggedIn,
  UserLoggedOut,
  TokenCreated,
  TokenRevoked,
} satisfies Record<string, EventContract>;

/** CloudEvents `type` of an event: `org.elara.server.ready.v1`. */
export const cloudType = (event: EventContract): string => `org.elara.${event.type}.v1`;

/**
 * Bus subject: `hub.ev.v1.server.ready.{userId}.{serverId}` for facts, `hub.nt.v1.…` for notices; always seven
 * tokens, `-` where there is no id. Tokens are opaque ids, names never enter subjects.
 */
export const busSubject = (event: EventContract, userId = "", objectId = ""): string =>
  `hub.${event.kind === "fact" ? "ev" : "nt"}.v1.${event.type}.${userId || "-"}.${objectId || "-"}`;

/** Pattern that matches one event of anybody. */
export const busPattern = (event: EventContract): string =>
  `${busSubject(event).split(".").slice(0, 5).join(".")}.*.*`;
