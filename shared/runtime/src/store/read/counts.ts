import { activity, servers, users } from "@elara/contracts";
import type { Store } from "../store.ts";
import { latest } from "./activity.ts";
import { documentsOf } from "./documents-of.ts";

const usersIn = documentsOf(users);
const serversIn = documentsOf(servers);
const activityIn = documentsOf(activity);

/** Buckets read at a time. */
const AT_ONCE = 8;

/** How many users there are, without those being deleted. Counted in an index. */
export const countUsers = (store: Store): Promise<number> => usersIn(store).count({ deletingAt: "" });

/** How many servers run: those with a route. Counted in an index. */
export const countRunning = (store: Store): Promise<number> => serversIn(store).count({ routed: true });

/**
 * How many users were seen since each of these times. Goes through the activity of everybody, some buckets at a time:
 * nothing for a request to wait for.
 */
export async function countActive(store: Store, since: readonly string[]): Promise<number[]> {
  const counts = since.map(() => 0);
  for (let first = 0; first < 256; first += AT_ONCE) {
    const ids = Array.from({ length: AT_ONCE }, (_, at) => (first + at).toString(16).padStart(2, "0"));
    const { items } = await activityIn(store).find({ where: { _id: { in: ids } } });
    for (const bucket of items)
      for (const [key, times] of Object.entries(bucket.last)) {
        if (!key.startsWith("u:")) continue;
        const seen = latest(times);
        for (const [at, cutoff] of since.entries()) if (seen >= cutoff) counts[at] = (counts[at] ?? 0) + 1;
      }
  }
  return counts;
}
