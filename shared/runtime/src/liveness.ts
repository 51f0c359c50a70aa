import { codeOf, type Instance, instances, type ServiceName } from "@elara/contracts";
import type { Logger } from "pino";
import { type Clock, timestamp } from "./clock.ts";
import type { Store } from "./store/store.ts";

/** Dead is whose beat stood unchanged for so long while watched. */
export const DEAD_MS = 10_000;
const READ_MS = 2000;
/** While somebody asks, rows are read more often. */
const READ_ASKED_MS = 1000;
const ASKED_FOR_MS = 5000;
/**
 * The longest that counts between two reads. After an outage of the store, or a sleep of this process, the others get
 * time to beat again before they are taken for dead.
 */
const MOST_BETWEEN_MS = 3000;
/** Rows of the dead and the stopped are removed after an hour. */
const FORGET_MS = 3_600_000;
/** Ids remembered of those that are in no row. */
const MOST_REMEMBERED = 1000;

/** Which instances live, by their beats, on an own monotonic clock. */
export interface Liveness {
  /** False once its beat stood unchanged for 10 s while watched, or it said good-bye, or its epoch moved on. */
  isAlive(instanceId: string, epoch: number): boolean;
  /** Rows of the living instances of a service. */
  live(service: ServiceName): readonly Instance[];
  /** Reads the rows now. Throws STORE_AWAY. */
  refresh(): Promise<void>;
  close(): void;
}

interface Watched {
  readonly row: Instance;
  readonly unchangedMs: number;
}

/** Watches the rows. Reads in the background; while the store is away everybody stays what they were. */
export function startLiveness({ store, clock, log }: { store: Store; clock: Clock; log: Logger }): Liveness {
  const documents = store.collection(instances);
  let watched: ReadonlyMap<string, Watched> = new Map();
  /** When the last complete read began. */
  let readAt: number | undefined;
  /** Ids in no row, and since when: they are dead once a read that began later does not find them either. */
  const missing = new Map<string, number>();
  let askedAt = Number.NEGATIVE_INFINITY;
  let sweptAt = Number.NEGATIVE_INFINITY;

  const rows = async (): Promise<Instance[]> => {
    const all: Instance[] = [];
    let after: string | undefined;
    do {
      const page = await documents.find({
        where: { stoppedAt: "" },
        sort: { by: ["stoppedAt", "_id"] },
        ...(after === undefined ? {} : { after }),
      });
      all.push(...page.items);
      after = page.next;
    } while (after !== undefined);
    return all;
  };

  const remember = (id: string, since: number) => {
    const [oldest] = missing.keys();
    if (missing.size >= MOST_REMEMBERED && oldest !== undefined) missing.delete(oldest);
    missing.set(id, since);
  };

  const read = async (): Promise<void> => {
    const began = clock.monotonic();
    const found = await rows();
    const sinceMs = readAt === undefined ? 0 : Math.min(began - readAt, MOST_BETWEEN_MS);
    const next = new Map<string, Watched>();
    for (const row of found) {
      const before = watched.get(row._id);
      const isSame = before?.row.beat === row.beat && before.row.epoch === row.epoch;
      next.set(row._id, { row, unchangedMs: isSame ? before.unchangedMs + sinceMs : 0 });
      missing.delete(row._id);
    }
    // Once seen and now gone: it said good-bye, no second look is needed.
    for (const id of watched.keys()) if (!next.has(id)) remember(id, Number.NEGATIVE_INFINITY);
    watched = next;
    readAt = began;
  };

  // Each process may remove what has long been dead; a row that beats again has another `rev` and stays.
  const sweep = async (): Promise<void> => {
    const dead = [...watched.values()].filter(({ unchangedMs }) => unchangedMs >= FORGET_MS);
    const stopped = await documents.find({
      where: { stoppedAt: { gt: "" }, and: [{ stoppedAt: { lt: timestamp(clock.now() - FORGET_MS) } }] },
      sort: { by: ["stoppedAt", "_id"] },
    });
    for (const row of [...dead.map(({ row }) => row), ...stopped.items])
      await documents.delete(row._id, row.rev);
  };

  // A caller gets a read that began after it asked.
  let running: Promise<void> = Promise.resolve();
  let next: Promise<void> | undefined;
  const refresh = (): Promise<void> => {
    next ??= running.then(() => {
      next = undefined;
      const work = read();
      running = work.catch(() => {});
      return work;
    });
    return next;
  };

  let complained = false;
  const look = async (): Promise<void> => {
    try {
      await refresh();
      if (clock.monotonic() - sweptAt > FORGET_MS) {
        sweptAt = clock.monotonic();
        await sweep();
      }
      complained = false;
    } catch (error) {
      if (!complained) log.warn({ code: codeOf(error), err: error }, "instances not read");
      complained = true;
    }
  };
  let lookedAt = clock.monotonic();
  const timer = setInterval(() => {
    const now = clock.monotonic();
    if (now - lookedAt < READ_MS - READ_ASKED_MS / 2 && now - askedAt > ASKED_FOR_MS) return;
    lookedAt = now;
    void look();
  }, READ_ASKED_MS);
  void look();

  return {
    isAlive(instanceId, epoch) {
      if (instanceId === "") return false;
      askedAt = clock.monotonic();
      const known = watched.get(instanceId);
      if (known !== undefined) return known.row.epoch <= epoch && known.unchangedMs < DEAD_MS;
      const since = missing.get(instanceId);
      if (since === undefined) {
        remember(instanceId, askedAt);
        return true;
      }
      return readAt === undefined || readAt <= since;
    },
    live: (service) =>
      [...watched.values()]
        .filter(({ row, unchangedMs }) => row.service === service && unchangedMs < DEAD_MS)
        .map(({ row }) => row),
    refresh,
    close: () => clearInterval(timer),
  };
}
