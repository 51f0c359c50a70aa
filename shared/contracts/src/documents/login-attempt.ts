import { type Static, Type } from "typebox";
import { collection } from "../collection.ts";
import { Digest, Time } from "../scalar.ts";
import { stored } from "./stored.ts";

/** A log-in at a provider that has come back; `_id` is the digest of its `state`, which counts once. */
export const LoginAttempt = Type.Object({
  ...stored,
  _id: Digest,
  expiresAt: Time,
});
export type LoginAttempt = Static<typeof LoginAttempt>;

export const loginAttempts = collection({
  name: "login_attempts",
  owner: "auth",
  schema: LoginAttempt,
  fields: { expiresAt: "time" },
  indexes: [{ fields: ["expiresAt", "_id"] }],
});
