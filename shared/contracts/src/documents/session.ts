import { type Static, Type } from "typebox";
import { collection } from "../collection.ts";
import { Digest, Id, Time, TimeOrNone } from "../scalar.ts";
import { eventful, eventfulFields, eventfulIndexes } from "./stored.ts";

/** A login of a browser. `_id` is the SHA-256 of the secret in the login cookie. */
export const Session = Type.Object({
  ...eventful,
  _id: Digest,
  userId: Id,
  /** Value of the `jupyterhub-session-id` cookie: groups the OAuth tokens of one browser; no credential. */
  sessionId: Type.String(),
  /** Which authenticator let the user in. */
  authenticator: Type.String(),
  createdAt: Time,
  expiresAt: Time,
  /** Revocation mark: it is over, by log-out or otherwise. An expired one is marked within a minute. */
  revokedAt: TimeOrNone,
});
export type Session = Static<typeof Session>;

export const sessions = collection({
  name: "sessions",
  owner: "auth",
  schema: Session,
  fields: {
    ...eventfulFields,
    userId: "string",
    sessionId: "string",
    expiresAt: "time",
    revokedAt: "time",
  },
  indexes: [
    { fields: ["userId", "_id"] },
    { fields: ["revokedAt", "_id"] },
    { fields: ["expiresAt", "_id"] },
    ...eventfulIndexes,
  ],
});
