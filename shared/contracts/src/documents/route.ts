import { type Static, Type } from "typebox";
import { collection } from "../collection.ts";
import { Json, Time, TimeOrNone } from "../scalar.ts";
import { stored } from "./stored.ts";

/** A route that is no server: a service, an extra route. `_id` is a digest of the path. */
export const Route = Type.Object({
  ...stored,
  path: Type.String(),
  target: Type.String(),
  data: Json,
  changedAt: Time,
  deletedAt: TimeOrNone,
});
export type Route = Static<typeof Route>;

export const routes = collection({
  name: "routes",
  owner: "proxy",
  schema: Route,
  fields: { path: "string", changedAt: "time", deletedAt: "time" },
  indexes: [{ fields: ["path"], unique: true }, { fields: ["changedAt", "_id"] }],
});
