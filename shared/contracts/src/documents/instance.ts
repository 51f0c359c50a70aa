import { type Static, Type } from "typebox";
import { collection } from "../collection.ts";
import { Json, Time, TimeOrNone } from "../scalar.ts";
import { stored } from "./stored.ts";

export const ServiceName = Type.Union([
  Type.Literal("auth"),
  Type.Literal("spawn"),
  Type.Literal("proxy"),
  Type.Literal("culler"),
  Type.Literal("web"),
]);
export type ServiceName = Static<typeof ServiceName>;

/** One running service of one process; each writes its own row. */
export const Instance = Type.Object({
  ...stored,
  service: ServiceName,
  /** Raised at every start of the same instance id. */
  epoch: Type.Integer({ minimum: 1 }),
  /** Origin of its listener, `http://127.0.0.1:40123`; "" when it has none (in process). */
  address: Type.String(),
  /** Raised every 2 s. Others watch it on their own monotonic clock; no wall clocks are compared. */
  beat: Type.Integer({ minimum: 0 }),
  startedAt: Time,
  /** Set when the process said good-bye. */
  stoppedAt: TimeOrNone,
  version: Type.String(),
  /** Fingerprints of keys and configuration: a difference between instances is a start-up fault. */
  digests: Json,
  /** Proxies only: the newest change of a server or route it has read. A hint, no promise: an older one may be written later. */
  routesUpTo: TimeOrNone,
});
export type Instance = Static<typeof Instance>;

export const instances = collection({
  name: "instances",
  owner: "every process, its own row",
  schema: Instance,
  fields: { service: "string", stoppedAt: "time", startedAt: "time" },
  indexes: [{ fields: ["service", "_id"] }, { fields: ["stoppedAt", "_id"] }],
});

/** Who holds a role of which there is one: the observer of a backend, the culler. `_id` is the role's name. */
export const Lease = Type.Object({
  ...stored,
  holder: Type.Object({ instance: Type.String(), epoch: Type.Integer({ minimum: 0 }) }),
  takenAt: Time,
});
export type Lease = Static<typeof Lease>;

export const leases = collection({
  name: "leases",
  owner: "every process, its own row",
  schema: Lease,
  fields: {},
  indexes: [],
});
