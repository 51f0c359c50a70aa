import { activity, type LastTimes } from "@elara/contracts";
import { digest } from "../../id.ts";
import type { Store } from "../store.ts";
import { documentsOf } from "./documents-of.ts";

const activityIn = documentsOf(activity);

/** Last times of a user, their servers and tokens. "" where nothing was ever seen. */
export interface Activity {
  user(): string;
  server(serverId: string): string;
  token(publicId: string): string;
  /** By kind of evidence. */
  timesOf(key: string): LastTimes;
}

/** The bucket in which everything of this user stands. */
export const activityBucket = (userId: string): string => digest(userId).slice(0, 2);

/** The latest of the times, "" when there is none. Times are fixed width, so text order is time order. */
export const latest = (times: LastTimes | undefined): string =>
  Object.values(times ?? {})
    .sort()
    .at(-1) ?? "";

/** Activity of one user. */
export async function lastTimes(store: Store, userId: string): Promise<Activity> {
  const of = await lastTimesOfMany(store, [userId]);
  return of(userId);
}

/** Activity of many users; reads each of the at most 256 buckets once. */
export async function lastTimesOfMany(
  store: Store,
  userIds: readonly string[],
): Promise<(userId: string) => Activity> {
  const ids = [...new Set(userIds.map(activityBucket))];
  const { items } = await activityIn(store).find({ where: { _id: { in: ids } } });
  const buckets = new Map(items.map((bucket) => [bucket._id, bucket.last]));
  return (userId) => {
    const last = buckets.get(activityBucket(userId)) ?? {};
    const timesOf = (key: string): LastTimes => last[key] ?? {};
    return {
      user: () => latest(timesOf(`u:${userId}`)),
      server: (serverId) => latest(timesOf(`s:${serverId}`)),
      token: (publicId) => latest(timesOf(`t:${publicId}`)),
      timesOf,
    };
  };
}
