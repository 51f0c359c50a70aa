import { type ActivityBucket, ActivitySeen, activity, codeOf, type LastTimes } from "@elara/contracts";
import type { Bus } from "@elara/runtime/bus/bus";
import { type Clock, timestamp } from "@elara/runtime/clock";
import { activityBucket, latest } from "@elara/runtime/store/read/activity";
import type { Documents, Store } from "@elara/runtime/store/store";
import type { Logger } from "pino";
import { isAway } from "./causes.ts";

/** Last times by user, server and token: folded in memory, merged into 256 buckets by maximum. */
export interface ActivityFold {
  /** Something was seen by this process itself. */
  seen(userId: string, key: string, last: LastTimes): void;
  /** The latest time known of this key, in memory or stored; "" when none is. Throws STORE_AWAY. */
  latest(userId: string, key: string): Promise<string>;
  /** Writes what was folded. What cannot be written stays for the next time. */
  flush(): Promise<void>;
  /** Drops a key that will not come again. */
  forget(userId: string, key: string): Promise<void>;
  /** Flushes and ends. */
  close(): Promise<void>;
}

const KINDS = ["traffic", "report", "use"] as const;
const ATTEMPTS = 8;
/** Keys kept in memory while the store is away; beyond it only known keys are raised. */
const MEMORY_KEYS = 200_000;

/** The later of both, kind by kind; undefined when `next` brings nothing new. Times later than `now` count as now. */
export function mergeTimes(
  known: LastTimes | undefined,
  next: LastTimes,
  now: string,
): LastTimes | undefined {
  const merged: LastTimes = { ...known };
  let isNews = false;
  for (const kind of KINDS) {
    const given = next[kind];
    if (given === undefined) continue;
    const time = given > now ? now : given;
    if (time <= (merged[kind] ?? "")) continue;
    merged[kind] = time;
    isNews = true;
  }
  return isNews ? merged : undefined;
}

interface FoldOptions {
  readonly store: Store;
  readonly bus: Bus;
  readonly log: Logger;
  readonly clock: Clock;
  readonly flushMs: number;
}

/**
 * Listens to what proxies and web saw. Every replica hears all of it, so that each can refuse a stop of a server in
 * use; that each writes it too costs a read, since a maximum that is already there is not written again.
 */
export function startActivity({ store, bus, log, clock, flushMs }: FoldOptions): ActivityFold {
  const documents: Documents<typeof activity> = store.collection(activity);
  const buckets = new Map<string, Map<string, LastTimes>>();
  let keys = 0;

  const fold = (bucketId: string, key: string, last: LastTimes): void => {
    const bucket = buckets.get(bucketId) ?? new Map<string, LastTimes>();
    buckets.set(bucketId, bucket);
    const isKnown = bucket.has(key);
    if (!isKnown && keys >= MEMORY_KEYS) return;
    const merged = mergeTimes(bucket.get(key), last, timestamp(clock.now()));
    if (!merged) return;
    bucket.set(key, merged);
    if (!isKnown) keys++;
  };

  const read = async (id: string): Promise<ActivityBucket> => {
    const found = await documents.get(id);
    if (found) return found;
    return documents.insert({ _id: id, v: 1, last: {} }).catch(async (error: unknown) => {
      const other = codeOf(error) === "STORE_CONFLICT" ? await documents.get(id) : undefined;
      if (other) return other;
      throw error;
    });
  };

  const write = async (
    id: string,
    edit: (last: ActivityBucket["last"]) => ActivityBucket["last"] | undefined,
  ): Promise<void> => {
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      const stored = await read(id);
      const last = edit(stored.last);
      if (!last || (await documents.patch(id, stored.rev, { set: { last } }))) return;
    }
    throw new Error(`activity bucket ${id} kept moving`);
  };

  const flushBucket = async (id: string, bucket: Map<string, LastTimes>): Promise<void> => {
    buckets.delete(id);
    keys -= bucket.size;
    try {
      await write(id, (stored) => {
        const last = { ...stored };
        let isNews = false;
        for (const [key, times] of bucket) {
          const merged = mergeTimes(last[key], times, timestamp(clock.now()));
          if (!merged) continue;
          last[key] = merged;
          isNews = true;
        }
        return isNews ? last : undefined;
      });
    } catch (error) {
      for (const [key, times] of bucket) fold(id, key, times);
      throw error;
    }
  };

  let flushing: Promise<void> = Promise.resolve();
  const flush = (): Promise<void> => {
    flushing = flushing.then(async () => {
      for (const [id, bucket] of [...buckets]) {
        try {
          await flushBucket(id, bucket);
        } catch (error) {
          log.warn({ bucket: id, err: error }, "activity not written yet");
          if (isAway(error)) return;
        }
      }
    });
    return flushing;
  };

  const subscription = bus.subscribe(ActivitySeen, ({ entries }) => {
    for (const { userId, key, last } of entries) fold(activityBucket(userId), key, last);
  });
  const timer = setInterval(() => void flush(), flushMs);

  return {
    seen: (userId, key, last) => fold(activityBucket(userId), key, last),
    async latest(userId, key) {
      const id = activityBucket(userId);
      const stored = await documents.get(id);
      const times = [latest(buckets.get(id)?.get(key)), latest(stored?.last[key])];
      return times.sort().at(-1) ?? "";
    },
    flush,
    async forget(userId, key) {
      const id = activityBucket(userId);
      // Behind a flush under way, which would write it again.
      await flushing;
      if (buckets.get(id)?.delete(key)) keys--;
      await write(id, ({ [key]: dropped, ...last }) => (dropped === undefined ? undefined : last));
    },
    async close() {
      clearInterval(timer);
      await subscription.close();
      await flush();
    },
  };
}
