import { type Static, type TObject, Type } from "typebox";
import { Digest, Id, IdOrNone, Json, Time } from "./scalar.ts";

/**
 * What a service is asked to do. The answer says *accepted*, never *done*. Deadline 2 s; the caller repeats with the
 * same `orderId` at 300 ms and 1 s; the changed document keeps the last eight with their answers.
 */
export interface OrderContract<Q extends TObject = TObject, A extends TObject = TObject> {
  /** `service.verb`. */
  readonly type: string;
  readonly summary: string;
  readonly request: Q;
  readonly answer: A;
}

const order = <Q extends TObject, A extends TObject>(
  type: string,
  summary: string,
  request: Q,
  answer: A,
): OrderContract<Q, A> => ({ type, summary, request, answer });

/** Who asks: `user:{id}`, `service:{name}`, `system:culler`. */
const actor = Type.String();
/** The generation the order is about, as it was read. Refused (SERVER_REPLACED) when another one is there now. */
const generation = Type.Optional(Type.Integer({ minimum: 0 }));
const ServerAnswer = Type.Object({ serverId: Id, generation: Type.Integer() });

export const SpawnStart = order(
  "spawn.start",
  "Want this server running. While one is pending: accepted again, no second start. Refused with SERVER_RUNNING when ready.",
  Type.Object({
    userId: Id,
    userName: Type.String(),
    serverName: Type.String(),
    displayName: Type.Optional(Type.String()),
    /** Slug of a profile. Absent: that of the last start while its user is offered it, else the first one offered. */
    profile: Type.Optional(Type.String()),
    /**
     * Checked against the fields of the profile; what is wrong is named (SPAWN_OPTIONS_INVALID with `field`). Absent:
     * the choices of the last start; one that is not offered any more gives way to the default, and a step says so.
     */
    options: Type.Optional(Json),
    actor,
  }),
  ServerAnswer,
);
export const SpawnCreate = order(
  "spawn.create",
  "Make the record of a named server without starting it.",
  Type.Object({
    userId: Id,
    userName: Type.String(),
    serverName: Type.String(),
    displayName: Type.Optional(Type.String()),
    profile: Type.Optional(Type.String()),
    options: Type.Optional(Json),
    actor,
  }),
  ServerAnswer,
);
export const SpawnStop = order(
  "spawn.stop",
  "Want this server stopped; cancels a start. With `ifIdleSince`, refused (SERVER_ACTIVE) when newer activity is known; with `generation`, refused (SERVER_REPLACED) when it is another one.",
  Type.Object({
    userId: Id,
    serverName: Type.String(),
    reason: Type.Union([
      Type.Literal("user"),
      Type.Literal("admin"),
      Type.Literal("idle"),
      Type.Literal("max_age"),
      Type.Literal("purge"),
    ]),
    /** Delete the record once stopped (named servers). */
    remove: Type.Optional(Type.Boolean()),
    ifIdleSince: Type.Optional(Time),
    generation,
    actor,
  }),
  Type.Object({ serverId: IdOrNone, generation: Type.Integer(), stopped: Type.Boolean() }),
);
export const SpawnPurge = order(
  "spawn.purge",
  "Stop and remove every server of a user being deleted; answers how many are left, so it is repeated until none is.",
  Type.Object({ userId: Id, actor }),
  Type.Object({ left: Type.Integer() }),
);
export const SpawnCull = order(
  "spawn.cull",
  "Announce that a server will be culled (event `server.culling`), before the stop is ordered.",
  Type.Object({
    userId: Id,
    serverName: Type.String(),
    reason: Type.String(),
    lastActivity: Type.String(),
    generation,
  }),
  Type.Object({ serverId: Id }),
);

export const AuthGrantServer = order(
  "auth.grant_server",
  "Register token digest and OAuth client of one generation of a server. Refused (USER_DELETING) when the user is being deleted.",
  Type.Object({
    userId: Id,
    serverId: Id,
    serverName: Type.String(),
    generation: Type.Integer(),
    /** SHA-256 of the server's API token, which is its OAuth client secret too. */
    tokenDigest: Digest,
    path: Type.String(),
  }),
  Type.Object({ clientId: Type.String() }),
);
export const AuthPreSpawn = order(
  "auth.pre_spawn",
  "What the user's log-in brings into the environment of this server: of the newest session whose authenticator says something, else nothing. Sealed for the key of the request, which is used once.",
  Type.Object({
    userId: Id,
    serverId: Id,
    generation: Type.Integer(),
    /** X25519, raw, base64url. */
    publicKey: Type.String({ pattern: "^[A-Za-z0-9_-]{43}$" }),
  }),
  /** A sealed JSON object of strings: see `shared/runtime/src/sealed-message.ts`. */
  Type.Object({ sealed: Type.String({ pattern: "^v1(\\.[A-Za-z0-9_-]+){4}$" }) }),
);
/** What a sealed environment is bound to: it opens for the start it was asked for, and for no other. */
export const preSpawnContext = (start: {
  readonly userId: string;
  readonly serverId: string;
  readonly generation: number;
}): string => `pre_spawn ${start.userId} ${start.serverId} ${start.generation}`;
export const AuthRevokeServer = order(
  "auth.revoke_server",
  "Revoke token and OAuth client of a server up to and including this generation.",
  Type.Object({ userId: Id, serverId: Id, generation: Type.Integer() }),
  Type.Object({ revoked: Type.Integer() }),
);
export const AuthGrantProbe = order(
  "auth.grant_probe",
  "Register the digest of a token for one look into a running server: only `access:servers!server=…`, gone after 60 s. The culler asks by it whether kernels compute.",
  Type.Object({ userId: Id, serverId: Id, generation: Type.Integer(), tokenDigest: Digest, actor }),
  Type.Object({ expiresAt: Time }),
);
export const AuthCreateUser = order(
  "auth.create_user",
  "Create a user by name. Refused with USER_EXISTS or USER_NAME_INVALID.",
  Type.Object({ name: Type.String(), admin: Type.Boolean(), actor }),
  Type.Object({ userId: Id, name: Type.String() }),
);
export const AuthUpdateUser = order(
  "auth.update_user",
  "Change name or admin flag.",
  Type.Object({
    userId: Id,
    name: Type.Optional(Type.String()),
    admin: Type.Optional(Type.Boolean()),
    actor,
  }),
  Type.Object({ userId: Id, name: Type.String() }),
);
export const AuthDeleteUser = order(
  "auth.delete_user",
  "Mark the user as deleting; auth purges the servers and removes the user when none is left.",
  Type.Object({ userId: Id, actor }),
  Type.Object({ userId: Id }),
);

/** Every order there is. */
export const orders = {
  SpawnStart,
  SpawnCreate,
  SpawnStop,
  SpawnPurge,
  SpawnCull,
  AuthGrantServer,
  AuthPreSpawn,
  AuthRevokeServer,
  AuthGrantProbe,
  AuthCreateUser,
  AuthUpdateUser,
  AuthDeleteUser,
} satisfies Record<string, OrderContract>;

export type RequestOf<O extends OrderContract> = Static<O["request"]>;
export type AnswerOf<O extends OrderContract> = Static<O["answer"]>;

/** Bus subject of an order. */
export const orderSubject = (contract: OrderContract): string => `hub.or.v1.${contract.type}`;

/** What travels: the request with its id, and either an answer or an error by code. */
export const OrderMessage = Type.Object({
  orderId: Type.String({ minLength: 1 }),
  request: Json,
  traceparent: Type.Optional(Type.String()),
});
export const OrderReply = Type.Union([
  Type.Object({ ok: Type.Literal(true), answer: Json }),
  Type.Object({
    ok: Type.Literal(false),
    error: Type.Object({
      code: Type.String(),
      message: Type.String(),
      status: Type.Integer(),
      retryable: Type.Boolean(),
      retryAfterSeconds: Type.Optional(Type.Integer()),
      /** The field of the request that is wrong. */
      field: Type.Optional(Type.String()),
    }),
  }),
]);
