import { setTimeout as pause } from "node:timers/promises";
import type { Logger, StoredServer } from "@elara/sdk";
import type { JobRecords } from "@elara/sdk/launcher";
import type { Desk } from "./desk.ts";
import type { Handle } from "./handle.ts";

type Server = StoredServer<Handle>;

/** What one look learnt: by tag. */
export interface Read {
  readonly records: ReadonlyMap<string, JobRecords>;
  /** Nobody answered in time; asking goes on, and the next look may know. Others that are missing cannot be read. */
  readonly late: ReadonlySet<string>;
}

/** Accounts whose records are read at one time. */
const AT_ONCE = 8;
/** How long a look waits for one account, for one that was late last time, and for all of them. */
const PATIENCE_MS = 3_000;
const SHORT_MS = 400;
const ALL_MS = 10_000;
/** What was read so long ago says nothing of now. */
const OLD_MS = 60_000;

/** What is wanted of an account: tags, and whether the listing before it says that the job is over. */
type Wanted = ReadonlyMap<string, boolean>;

interface Reading {
  readonly at: number;
  readonly wanted: Wanted;
  /** Undefined: they could not be read. */
  readonly found: Promise<ReadonlyMap<string, JobRecords> | undefined>;
}

/**
 * Reads the records of servers, one command for each account. A home that hangs holds up no look at the others: its
 * reading goes on by itself, one for each account, and its outcome counts at the next look.
 */
export function patientRecords({ desk, log }: { readonly desk: Desk; readonly log: Logger }) {
  /** Of accounts that were late. */
  const slow = new Map<string, Reading>();

  async function ask(account: string, tags: readonly string[], signal?: AbortSignal) {
    try {
      const { records } = await desk(account, { action: "records", tags }, signal);
      return new Map(Object.entries(records));
    } catch (error) {
      if (signal?.aborted) slow.delete(account);
      else log.warn({ account, err: error }, "records of servers cannot be read");
      return undefined;
    }
  }

  return async (wanted: ReadonlyMap<Server, boolean>, signal?: AbortSignal): Promise<Read> => {
    const records = new Map<string, JobRecords>();
    const late = new Set<string>();
    const until = performance.now() + ALL_MS;

    async function read(account: string, tags: Wanted): Promise<void> {
      const before = slow.get(account);
      const now = performance.now();
      const reading: Reading =
        before && now - before.at < OLD_MS
          ? before
          : { at: now, wanted: tags, found: ask(account, [...tags.keys()], signal) };
      const limit = new AbortController();
      const patience = Math.max(0, Math.min(before ? SHORT_MS : PATIENCE_MS, until - now));
      const tooLate = pause(patience, "late" as const, { signal: limit.signal }).catch(() => undefined);
      const found = await Promise.race([reading.found, tooLate]);
      limit.abort();
      if (found === "late") slow.set(account, reading);
      else slow.delete(account);
      if (found === undefined) return;
      for (const [tag, isOver] of tags) {
        const record = found === "late" ? undefined : found.get(tag);
        // Read while the job lived, it may lack the end that was written since.
        const counts = record && (record.exit || !isOver || reading.wanted.get(tag));
        if (counts) records.set(tag, record);
        else late.add(tag);
      }
    }

    const accounts = [...Map.groupBy(wanted, ([{ handle }]) => handle.account)].sort(
      ([a], [b]) => Number(slow.has(a)) - Number(slow.has(b)),
    );
    const work = async (): Promise<void> => {
      for (let next = accounts.shift(); next; next = accounts.shift())
        await read(next[0], new Map(next[1].map(([{ tag }, isOver]) => [tag, isOver])));
    };
    await Promise.all(Array.from({ length: AT_ONCE }, work));
    signal?.throwIfAborted();
    return { records, late };
  };
}
