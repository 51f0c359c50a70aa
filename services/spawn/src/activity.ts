import { isDeepStrictEqual } from "node:util";
import { type ActivityBucket, ActivitySeen, activity, codeOf, type LastTimes } from "@elara/contracts";
import type { Bus } from "@elara/runtime/bus/bus";
import { type Clock, timestamp } from "@elara/runtime/clock";
import { isAway } from "@elara/runtime/is-away";
import { mergeTimes } from "@elara/runtime/last-times";
import { activityBucket, latest } from "@elara/runtime/store/read/activity";
import type { Documents, Store } from "@elara/runtime/store/store";
import type { Logger } from "pino";

/** Last times by user, server and token: folded in memory, merged into 256 buckets by maximum. */
export interface ActivityFold {
  /** Something was seen by this process itself. */
  seen(userId: string, key: string, last: LastTimes): void;
  /** The latest time known of this key, in memory or stored; "" when none is. Throws STORE_AWAY. */
  latest(userId: string, key: string): Promise<string>;
  /** Writes what was folded and drops what is old. What cannot be written stays for the next time. */
  flush(): Promise<void>;
  /** Drops a key that will not come again. */
  forget(userId: string, key: string): Promise<void>;
  /** Flushes and ends. */
  close(): Promise<void>;
}

const ATTEMPTS = 8;
const DAY_MS = 86_400_000;
/** Keys kept in memory while the store is away; beyond it only known keys are raised. */
const MEMORY_KEYS = 200_000;

/** Tokens and servers come and go, and late news of a removed one may come too; users stay. */
const isStale = (key: string, times: LastTimes, oldest: string): boolean =>
  !key.startsWith("u:") && latest(times) < oldest;

interface FoldOptions {
  readonly store: Store;
  readonly bus: Bus;
  readonly log: Logger;
  readonly clock: Clock;
  readonly flushMs: number;
  /** Tokens and servers not seen for so long are dropped. */
  readonly keepDays: number;
}

/**
 * Listens to what proxies and web saw. Every replica hears all of it, so that each can refuse a stop of a server in
 * use; that each writes it too costs a read, since a maximum that is already there is not written again.
 */
export function startActivity({ store, bus, log, clock, flushMs, keepDays }: FoldOptions): ActivityFold {
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

  /** What is written stays in memory until then: `latest` must not answer older times meanwhile. */
  const flushBucket = async (id: string, bucket: Map<string, LastTimes>): Promise<void> => {
    const written = [...bucket];
    const now = clock.now();
    const oldest = timestamp(now - keepDays * DAY_MS);
    await write(id, (stored) => {
      const last = { ...stored };
      for (const [key, times] of written)
        last[key] = mergeTimes(last[key], times, timestamp(now)) ?? last[key] ?? {};
      for (const [key, times] of Object.entries(last)) if (isStale(key, times, oldest)) delete last[key];
      return isDeepStrictEqual(last, stored) ? undefined : last;
    });
    for (const [key, times] of written) if (bucket.get(key) === times && bucket.delete(key)) keys--;
    if (bucket.size === 0) buckets.delete(id);
  };

  /** Buckets that were told of; a write that succeeds takes them out. */
  const failing = new Set<string>();
  const flushAll = async (): Promise<void> => {
    for (const [id, bucket] of [...buckets]) {
      try {
        await flushBucket(id, bucket);
        if (failing.delete(id)) log.info({ bucket: id }, "activity bucket written again");
      } catch (error) {
        if (isAway(error)) return log.warn({ bucket: id, err: error }, "activity not written yet");
        if (!failing.has(id)) log.error({ bucket: id, err: error }, "activity bucket cannot be written");
        failing.add(id);
      }
    }
  };

  let chain: Promise<unknown> = Promise.resolve();
  /** One write after the other: what is forgotten must not be written again by a flush under way. */
  const inTurn = (work: () => Promise<void>): Promise<void> => {
    const done = chain.then(work);
    chain = done.catch(() => {});
    return done;
  };
  const flush = () => inTurn(flushAll);

  const subscription = bus.subscribe(ActivitySeen, ({ entries }) => {
    for (const { userId, key, last } of entries) fold(activityBucket(userId), key, last);
  });
  const timer = setInterval(() => void flush(), flushMs);

  return {
    seen: (userId, key, last) => fold(activityBucket(userId), key, last),
    async latest(userId, key) {
      const id = activityBucket(userId);
      const inMemory = () => latest(buckets.get(id)?.get(key));
      // Before and after: a flush may end while the store is read.
      const before = inMemory();
      const stored = await documents.get(id);
      return [before, latest(stored?.last[key]), inMemory()].sort().at(-1) ?? "";
    },
    flush,
    forget: (userId, key) =>
      inTurn(async () => {
        const id = activityBucket(userId);
        if (buckets.get(id)?.delete(key)) keys--;
        await write(id, ({ [key]: dropped, ...last }) => (dropped === undefined ? undefined : last));
      }),
    async close() {
      clearInterval(timer);
      await subscription.close();
      await flush();
    },
  };
}
