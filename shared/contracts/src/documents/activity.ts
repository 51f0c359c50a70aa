import { type Static, Type } from "typebox";
import { collection } from "../collection.ts";
import { stored } from "./stored.ts";

/** UTC with milliseconds, or with the microseconds a client reported and reads again. */
const SeenTime = Type.String({ pattern: "^\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\d\\.\\d{3}(\\d{3})?Z$" });

/** Last times of one user, server or token, by kind of evidence; merged by maximum, never backwards. */
export const LastTimes = Type.Object({
  /** Requests through the proxy. */
  traffic: Type.Optional(SeenTime),
  /** The single-user server's own report. */
  report: Type.Optional(SeenTime),
  /** Use of a credential at the hub. */
  use: Type.Optional(SeenTime),
});
export type LastTimes = Static<typeof LastTimes>;

/**
 * One of 256 buckets; `_id` is two hex digits of the SHA-256 of the *user's* id, so that a user, their servers and
 * tokens share one. Keys: `u:{userId}`, `s:{serverId}`, `t:{token publicId}`.
 */
export const ActivityBucket = Type.Object({
  ...stored,
  last: Type.Record(Type.String(), LastTimes),
});
export type ActivityBucket = Static<typeof ActivityBucket>;

export const activity = collection({
  name: "activity",
  owner: "spawn",
  schema: ActivityBucket,
  fields: {},
  indexes: [],
});
