import { type Static, Type } from "typebox";
import { collection } from "../collection.ts";
import { Digest, IdOrNone, Time, TimeOrNone } from "../scalar.ts";
import { stored } from "./stored.ts";

/**
 * What an authenticator wanted kept of a log-in, tokens included, sealed. It lives as long as its session and longer, until
 * everything was given back to the provider. Auth alone can read it.
 */
export const KeptAuthState = Type.Object({
  ...stored,
  /** That of its session; of no session where the log-in was refused after the provider had given tokens. */
  _id: Digest,
  /** "" where the log-in made no user. */
  userId: IdOrNone,
  userName: Type.String(),
  /** Name of the authenticator that gave it and takes it back. */
  authenticator: Type.String(),
  /** Which key of the ring seals it. */
  kid: Type.String(),
  /** `v1.kid.iv.ciphertext.tag`, AES-256-GCM bound to the user's id. */
  sealed: Type.String(),
  createdAt: Time,
  /** Its session has ended, in whatever way: to be given back. */
  endedAt: TimeOrNone,
  /** When to look at it next: end of the session, or the next try to give it back. */
  dueAt: Time,
  /** How often giving it back was tried. */
  tries: Type.Integer({ minimum: 0 }),
});
export type KeptAuthState = Static<typeof KeptAuthState>;

export const authStates = collection({
  name: "auth_states",
  owner: "auth",
  schema: KeptAuthState,
  fields: { userId: "string", kid: "string", createdAt: "time", endedAt: "time", dueAt: "time" },
  indexes: [
    { fields: ["userId", "createdAt", "_id"] },
    { fields: ["dueAt", "_id"] },
    { fields: ["kid", "_id"] },
  ],
});
