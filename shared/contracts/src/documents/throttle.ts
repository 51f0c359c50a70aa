import { type Static, Type } from "typebox";
import { collection } from "../collection.ts";
import { Time, TimeOrNone } from "../scalar.ts";
import { stored } from "./stored.ts";

/** Failed log-ins of one key (digest of name, or of address and name). Shared by all auth replicas. */
export const Throttle = Type.Object({
  ...stored,
  failures: Type.Integer({ minimum: 0 }),
  firstAt: Time,
  blockedUntil: TimeOrNone,
  expiresAt: Time,
});
export type Throttle = Static<typeof Throttle>;

export const throttles = collection({
  name: "throttles",
  owner: "auth",
  schema: Throttle,
  fields: { expiresAt: "time" },
  indexes: [{ fields: ["expiresAt", "_id"] }],
});
