import { Type } from "typebox";
import { LastTimes } from "../documents/activity.ts";
import { Id } from "../scalar.ts";
import { notice } from "./contract.ts";

export const ActivitySeen = notice(
  "activity.seen",
  "Last times seen by a proxy or web replica since its last report; folded by spawn. At most 500 entries.",
  Type.Object({
    entries: Type.Array(Type.Object({ userId: Id, key: Type.String(), last: LastTimes }), { maxItems: 500 }),
  }),
);
export const RouteAdded = notice(
  "route.added",
  "A proxy has a route for this path.",
  Type.Object({ path: Type.String(), proxy: Type.String(), userId: Type.String(), serverId: Type.String() }),
);
export const RouteRemoved = notice(
  "route.removed",
  "A proxy dropped the route for this path.",
  Type.Object({ path: Type.String(), proxy: Type.String(), userId: Type.String(), serverId: Type.String() }),
);
