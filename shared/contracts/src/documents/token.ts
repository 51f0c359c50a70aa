import { type Static, Type } from "typebox";
import { collection } from "../collection.ts";
import { Digest, IdOrNone, Time, TimeOrNone } from "../scalar.ts";
import { eventful, eventfulFields, eventfulIndexes } from "./stored.ts";

/** An API token. `_id` is the SHA-256 of the token; the token itself is shown once and never kept. */
export const Token = Type.Object({
  ...eventful,
  _id: Digest,
  /** What the API calls the token: `a` and digits. */
  publicId: Type.String({ pattern: "^a[0-9]{1,18}$" }),
  /** api: made by a person; server: of a running server; oauth: given by the OAuth provider; service: of the configuration. */
  kind: Type.Union([
    Type.Literal("api"),
    Type.Literal("server"),
    Type.Literal("oauth"),
    Type.Literal("service"),
  ]),
  userId: IdOrNone,
  /** Name of the owning service, "" for users. */
  service: Type.String(),
  /** OAuth client that issued it: `jupyterhub` for plain tokens. */
  clientId: Type.String(),
  /** The server this token belongs to (kind server), and its generation. */
  serverId: IdOrNone,
  generation: Type.Integer({ minimum: 0 }),
  /** The browser session it was issued in; "" for none. */
  sessionId: Type.String(),
  note: Type.String(),
  /** Raw scopes, e.g. `inherit`, `access:servers!server=ada/`. Of kind service: all that the service may do. */
  scopes: Type.Array(Type.String()),
  createdAt: Time,
  expiresAt: TimeOrNone,
  /** Revocation mark. */
  revokedAt: TimeOrNone,
  /** Mark like the users': raised when the scopes change. */
  accessChangedAt: TimeOrNone,
});
export type Token = Static<typeof Token>;

export const tokens = collection({
  name: "tokens",
  owner: "auth",
  schema: Token,
  fields: {
    ...eventfulFields,
    publicId: "string",
    kind: "string",
    userId: "string",
    clientId: "string",
    serverId: "string",
    sessionId: "string",
    createdAt: "time",
    expiresAt: "time",
    revokedAt: "time",
    accessChangedAt: "time",
  },
  indexes: [
    { fields: ["publicId"], unique: true },
    { fields: ["userId", "createdAt", "_id"] },
    { fields: ["sessionId", "_id"] },
    { fields: ["serverId", "_id"] },
    { fields: ["revokedAt", "_id"] },
    { fields: ["kind", "_id"] },
    { fields: ["expiresAt", "_id"] },
    { fields: ["accessChangedAt", "_id"] },
    ...eventfulIndexes,
  ],
});
