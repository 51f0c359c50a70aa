import { type Logger, patience, type StoredServer } from "@elara/sdk";
import type { JobRecords } from "@elara/sdk/launcher";
import type { Desk } from "./desk.ts";
import type { Handle } from "./handle.ts";

type Server = StoredServer<Handle>;

/** What one look learnt: by tag. */
export interface Read {
  readonly records: ReadonlyMap<string, JobRecords>;
  /** Nobody answered in time; asking goes on, the next look may know. Others that are missing cannot be read. */
  readonly late: ReadonlySet<string>;
}

/** Accounts whose records are read at one time. */
const AT_ONCE = 8;
/** How long a look waits for all accounts. */
const ALL_MS = 10_000;

/** What is wanted of an account: tags, and whether the listing before it says that the job is over. */
type Wanted = ReadonlyMap<string, boolean>;

interface Reading {
  readonly wanted: Wanted;
  /** Undefined: they could not be read. */
  readonly found: ReadonlyMap<string, JobRecords> | undefined;
}

/**
 * Reads the records of servers, one command for each account. A home that hangs holds up no look at the others: its
 * reading goes on by itself, one for each account, and its outcome counts at the next look.
 */
export function patientRecords({ desk, log }: { readonly desk: Desk; readonly log: Logger }) {
  const patient = patience<Reading>();

  async function ask(account: string, wanted: Wanted, signal?: AbortSignal): Promise<Reading> {
    try {
      const { records } = await desk(account, { action: "records", tags: [...wanted.keys()] }, signal);
      return { wanted, found: new Map(Object.entries(records)) };
    } catch (error) {
      if (!signal?.aborted) log.warn({ account, err: error }, "records of servers cannot be read");
      return { wanted, found: undefined };
    }
  }

  return async (wanted: ReadonlyMap<Server, boolean>, signal?: AbortSignal): Promise<Read> => {
    const records = new Map<string, JobRecords>();
    const late = new Set<string>();
    const until = performance.now() + ALL_MS;

    async function read(account: string, tags: Wanted): Promise<void> {
      const look = { late: "late", mostMs: until - performance.now(), signal };
      // Nothing else is thrown: a failure is an answer, too.
      const reading = await patient
        .ask(account, () => ask(account, tags, signal), look)
        .catch(() => undefined);
      if (reading && !reading.found) return;
      for (const [tag, isOver] of tags) {
        const record = reading?.found?.get(tag);
        // Read while the job lived, it may lack the end that was written since.
        const counts = record && (record.exit || !isOver || reading?.wanted.get(tag));
        if (counts) records.set(tag, record);
        else late.add(tag);
      }
    }

    const accounts = [...Map.groupBy(wanted, ([{ handle }]) => handle.account)].sort(
      ([a], [b]) => Number(patient.isSilent(a)) - Number(patient.isSilent(b)),
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
