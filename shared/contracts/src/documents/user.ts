import { type Static, Type } from "typebox";
import { collection } from "../collection.ts";
import { Digest, Id, Time, TimeOrNone } from "../scalar.ts";
import { eventful, eventfulFields, eventfulIndexes, stored } from "./stored.ts";

export const User = Type.Object({
  ...eventful,
  /** A label: lower-case, may change; reserved for a day after delete or rename. Unique among the living. */
  name: Type.String(),
  /** What the unique index stands on: the name, or `~{id}` once the user is deleted and the reservation over. */
  nameKey: Type.String(),
  admin: Type.Boolean(),
  createdAt: Time,
  lastLoginAt: TimeOrNone,
  /** Set when the user is being deleted; starts and grants are refused from then on. */
  deletingAt: TimeOrNone,
  /** Revocation mark: raised when admin flag or roles change; cached identities older than it are dropped. */
  accessChangedAt: TimeOrNone,
  /** `_id` of the identity that logged in first and so owns the name; absent until somebody has. */
  claimedBy: Type.Optional(Digest),
  /** Since when the configuration blocks the user; "": it does not. */
  blockedAt: TimeOrNone,
});
export type User = Static<typeof User>;

export const users = collection({
  name: "users",
  owner: "auth",
  schema: User,
  fields: {
    ...eventfulFields,
    name: "string",
    nameKey: "string",
    admin: "boolean",
    createdAt: "time",
    deletingAt: "time",
    accessChangedAt: "time",
    blockedAt: "time",
  },
  indexes: [
    { fields: ["nameKey"], unique: true },
    { fields: ["createdAt", "_id"] },
    { fields: ["name", "_id"] },
    { fields: ["accessChangedAt", "_id"] },
    { fields: ["deletingAt", "_id"] },
    { fields: ["blockedAt", "_id"] },
    ...eventfulIndexes,
  ],
});

/** Who somebody is to an identity provider: (issuer, subject) is the identity, the user's name only a label. */
export const UserIdentity = Type.Object({
  ...stored,
  /** `_id` is the SHA-256 of issuer, NUL, subject. */
  _id: Digest,
  issuer: Type.String(),
  subject: Type.String(),
  userId: Id,
  createdAt: Time,
});
export type UserIdentity = Static<typeof UserIdentity>;

export const identities = collection({
  name: "identities",
  owner: "auth",
  schema: UserIdentity,
  fields: { userId: "string" },
  indexes: [{ fields: ["userId", "_id"] }],
});
