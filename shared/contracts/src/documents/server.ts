import { type Static, Type } from "typebox";
import { collection } from "../collection.ts";
import { Id, IdOrNone, Json, Time, TimeOrNone } from "../scalar.ts";
import { eventful, eventfulFields, eventfulIndexes, stored } from "./stored.ts";

/** `stopped → requested → (queued) → starting → ready → stopping → stopped`; side exits `failed` and `unknown`. */
export const Phase = Type.Union([
  Type.Literal("stopped"),
  Type.Literal("requested"),
  Type.Literal("queued"),
  Type.Literal("starting"),
  Type.Literal("ready"),
  Type.Literal("stopping"),
  Type.Literal("failed"),
  Type.Literal("unknown"),
]);
export type Phase = Static<typeof Phase>;

/** Why a server ended or failed: a code of the table, a sentence for its owner, one for the operator. */
export const Cause = Type.Object({
  code: Type.String(),
  message: Type.String(),
  operator: Type.String(),
  at: TimeOrNone,
  /** HTTP status of a plugin's own error; the hub's own codes have theirs in the table. */
  status: Type.Optional(Type.Integer({ minimum: 400, maximum: 599 })),
});
export type Cause = Static<typeof Cause>;
export const noCause: Cause = { code: "", message: "", operator: "", at: "" };

/** The last orders that changed this document, with their answers: a repeated order is answered, not done again. */
export const OrderMemo = Type.Object({ orderId: Type.String(), at: Time, answer: Type.Unknown() });

/** The server ledger: one document per user's server, kept after it stops. */
export const Server = Type.Object({
  ...eventful,
  userId: Id,
  userName: Type.String(),
  /** "" is the default server. */
  name: Type.String(),
  displayName: Type.String(),
  /** Public path with base URL, always with slashes around: `/user/ada/`, `/user/ada/lab2/`. */
  path: Type.String(),
  desired: Type.Union([Type.Literal("running"), Type.Literal("stopped")]),
  phase: Phase,
  /** While `phase` is unknown: the phase it was in before. */
  phaseBefore: Type.String(),
  /** Desired and phase differ, or a phase with a deadline: a driver has to look at it. */
  inMotion: Type.Boolean(),
  /** Raised with every start; token, client, handle, tag and log are keyed by it. */
  generation: Type.Integer({ minimum: 0 }),
  /** Identity at the backend, HMAC of hub, user, server, generation; "" before the first start. */
  tag: Type.String(),
  /** Name of the configured spawner, e.g. `local`. */
  backend: Type.String(),
  /** What the plugin returned from `start`; `{}` when there is none. */
  handle: Json,
  /** When the handle was stored: an observation that began earlier says nothing about it. */
  handleAt: TimeOrNone,
  /** Slug of the profile of the last start; "" before the first. */
  profile: Type.String(),
  /** Whether that profile was asked for by name, or else is the one a start without a word falls to. Absent: not asked for. */
  profileAsked: Type.Optional(Type.Boolean()),
  /** What the user chose for the last start (user_options). */
  options: Json,
  /** Where the proxy forwards to, `http://host:port`; "" when not known. */
  url: Type.String(),
  /** The proxy has a route for `path` to `url`. */
  routed: Type.Boolean(),
  /** `JUPYTERHUB_API_URL` this server was given. */
  apiUrl: Type.String(),
  /** Who drives it: instance and epoch, both empty at rest. */
  driver: Type.Object({ instance: Type.String(), epoch: Type.Integer({ minimum: 0 }) }),
  /** When this phase began, and when it must have ended ("" where time must not end it). */
  phaseAt: Time,
  deadlineAt: TimeOrNone,
  /** Milliseconds left on the phase's clock while it is frozen (`unknown`, or a grant that waits for auth; then `deadlineAt` is the end of that wait); absent or 0: none. */
  clockLeftMs: Type.Optional(Type.Integer({ minimum: 0 })),
  /** Why it is as it is, in words for its owner: what the queue waits for, why it is unknown. Absent or "": nothing to say. */
  reason: Type.Optional(Type.String()),
  /**
   * Until then a submit for this tag may still be under way, perhaps in a process that died. After it the backend is
   * asked once more for the tag, and a second find is stopped. Absent or "": none is.
   */
  submitUntil: Type.Optional(TimeOrNone),
  createdAt: Time,
  requestedAt: TimeOrNone,
  /** When user and limits were found to allow this generation; "" while nobody has looked. Absent in older documents: allowed. */
  admittedAt: Type.Optional(TimeOrNone),
  startedAt: TimeOrNone,
  readyAt: TimeOrNone,
  stoppedAt: TimeOrNone,
  /** End of the allocation where the backend knows one (walltime). */
  endsAt: TimeOrNone,
  cause: Cause,
  /** Delete the document once stopped. */
  removeWhenStopped: Type.Boolean(),
  /** Raised with every write; proxies read what changed lately by it. */
  changedAt: Time,
  /** W3C traceparent of the order it moves by, so that whoever drives it joins that trace; "" or absent: none. */
  traceparent: Type.Optional(Type.String()),
  orders: Type.Array(OrderMemo, { maxItems: 8 }),
});
export type Server = Static<typeof Server>;

export const servers = collection({
  name: "servers",
  owner: "spawn",
  schema: Server,
  fields: {
    ...eventfulFields,
    userId: "string",
    name: "string",
    path: "string",
    desired: "string",
    phase: "string",
    backend: "string",
    inMotion: "boolean",
    routed: "boolean",
    changedAt: "time",
    readyAt: "time",
  },
  indexes: [
    { fields: ["userId", "name"], unique: true },
    { fields: ["path"], unique: true },
    { fields: ["inMotion", "_id"] },
    { fields: ["routed", "_id"] },
    { fields: ["backend", "_id"] },
    { fields: ["phase", "_id"] },
    { fields: ["changedAt", "_id"] },
    ...eventfulIndexes,
  ],
});

/** One line on the pending page: `step` names what was reached. */
export const Step = Type.Object({
  at: Time,
  /** requested, environment, process_started, port_answers, route_added, ready, failed, stopping, stopped, or the plugin's own. */
  step: Type.String(),
  message: Type.String(),
  /** 0 to 100, for the progress bar and JupyterHub's stream. */
  progress: Type.Integer({ minimum: 0, maximum: 100 }),
});
export type Step = Static<typeof Step>;

/** What one attempt (server, generation) went through. `_id` is `{serverId}.{generation}.{chunk}`. */
export const SpawnLog = Type.Object({
  ...stored,
  serverId: Id,
  userId: IdOrNone,
  generation: Type.Integer({ minimum: 1 }),
  chunk: Type.Integer({ minimum: 0 }),
  steps: Type.Array(Step),
  /** Last lines of the server's own output, filled when it ends badly. */
  tail: Type.Array(Type.String()),
  createdAt: Time,
});
export type SpawnLog = Static<typeof SpawnLog>;

export const spawnLogs = collection({
  name: "spawn_logs",
  owner: "spawn",
  schema: SpawnLog,
  fields: { serverId: "string", generation: "number", chunk: "number", createdAt: "time" },
  indexes: [{ fields: ["serverId", "generation", "chunk", "_id"] }, { fields: ["createdAt", "_id"] }],
});
