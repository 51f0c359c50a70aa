import { type Static, Type } from "typebox";
import { collection } from "../collection.ts";
import { Digest, Id, IdOrNone, Time, TimeOrNone } from "../scalar.ts";
import { stored } from "./stored.ts";

/** An OAuth client: a user's server (`jupyterhub-user-ada`) or a service. `_id` is the client id. */
export const OAuthClient = Type.Object({
  ...stored,
  secretDigest: Digest,
  redirectUri: Type.String(),
  description: Type.String(),
  allowedScopes: Type.Array(Type.String()),
  /** Scope that a user needs to be let in, e.g. `access:servers!server=ada/`. */
  accessScope: Type.String(),
  /** Owner and server for servers' clients, "" for services. */
  userId: IdOrNone,
  serverId: IdOrNone,
  generation: Type.Integer({ minimum: 0 }),
  noConfirm: Type.Boolean(),
  createdAt: Time,
});
export type OAuthClient = Static<typeof OAuthClient>;

export const oauthClients = collection({
  name: "oauth_clients",
  owner: "auth",
  schema: OAuthClient,
  fields: { userId: "string", serverId: "string" },
  indexes: [{ fields: ["userId", "_id"] }, { fields: ["serverId", "_id"] }],
});

/** An authorization code; `_id` is its SHA-256. Spent by compare and swap before a token is made. */
export const OAuthCode = Type.Object({
  ...stored,
  _id: Digest,
  clientId: Type.String(),
  redirectUri: Type.String(),
  userId: Id,
  sessionId: Type.String(),
  scopes: Type.Array(Type.String()),
  challenge: Type.String(),
  challengeMethod: Type.Union([Type.Literal(""), Type.Literal("S256"), Type.Literal("plain")]),
  expiresAt: Time,
  spentAt: TimeOrNone,
});
export type OAuthCode = Static<typeof OAuthCode>;

export const oauthCodes = collection({
  name: "oauth_codes",
  owner: "auth",
  schema: OAuthCode,
  fields: { expiresAt: "time", userId: "string" },
  indexes: [{ fields: ["expiresAt", "_id"] }],
});
