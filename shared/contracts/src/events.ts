import type { EventContract } from "./events/contract.ts";
import { MetricsCounted, MetricsWanted } from "./events/metrics.ts";
import {
  SessionEnded,
  SessionStarted,
  TokenChanged,
  TokenCreated,
  TokenExpired,
  TokenRevoked,
  UserBlocked,
  UserCreated,
  UserDeleted,
  UserDeleting,
  UserLoggedIn,
  UserLoggedOut,
  UserUnblocked,
  UserUpdated,
} from "./events/people.ts";
import { ActivitySeen, RouteAdded, RouteRemoved } from "./events/route.ts";
import {
  ServerAdopted,
  ServerAllocated,
  ServerChanged,
  ServerCreated,
  ServerCulling,
  ServerDeleted,
  ServerEndKnown,
  ServerFound,
  ServerProgress,
  ServerQueued,
  ServerReady,
  ServerRequested,
  ServerStartDeferred,
  ServerStartFailed,
  ServerStarting,
  ServerStopped,
  ServerStopping,
  ServerStopRequested,
  ServerUnknown,
} from "./events/server.ts";

export { CloudEvent, type EventContract } from "./events/contract.ts";
export * from "./events/metrics.ts";
export * from "./events/people.ts";
export * from "./events/route.ts";
export * from "./events/server.ts";

/** Every event there is; EVENTS.md is generated from it. */
export const events = {
  ServerCreated,
  ServerRequested,
  ServerStartDeferred,
  ServerStarting,
  ServerQueued,
  ServerAllocated,
  ServerReady,
  ServerEndKnown,
  ServerAdopted,
  ServerStopping,
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
  MetricsWanted,
  MetricsCounted,
  UserCreated,
  UserUpdated,
  UserDeleting,
  UserDeleted,
  UserBlocked,
  UserUnblocked,
  UserLoggedIn,
  UserLoggedOut,
  SessionStarted,
  SessionEnded,
  TokenCreated,
  TokenChanged,
  TokenRevoked,
  TokenExpired,
} satisfies Record<string, EventContract>;

/** CloudEvents `type` of an event: `org.elara.server.ready.v1`. */
export const cloudType = (event: EventContract): string => `org.elara.${event.type}.v1`;

/** Name of the schema of an event's data: `urn:elara:schema:server.ready.v1`. */
export const dataSchema = (event: EventContract): string => `urn:elara:schema:${event.type}.v1`;

/** The entity an event's CloudEvents `type` tells of: `server` of `org.elara.server.ready.v1`; "" when it is none of ours. */
export const entityOf = (type: string): string => /^org\.elara\.([a-z]+)\./.exec(type)?.[1] ?? "";

/**
 * Bus subject: `hub.ev.v1.server.ready.{userId}.{serverId}` for facts, `hub.nt.v1.…` for notices; always seven
 * tokens, `-` where there is no id. Tokens are opaque ids, names never enter subjects.
 */
export const busSubject = (event: EventContract, userId = "", objectId = ""): string =>
  `hub.${event.kind === "fact" ? "ev" : "nt"}.v1.${event.type}.${userId || "-"}.${objectId || "-"}`;

/** Pattern that matches one event of anybody. */
export const busPattern = (event: EventContract): string =>
  `${busSubject(event).split(".").slice(0, 5).join(".")}.*.*`;
