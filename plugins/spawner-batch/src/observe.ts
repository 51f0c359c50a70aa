import type { Logger, Observation, Row, StoredServer } from "@elara/sdk";
import type { JobRecords } from "@elara/sdk/launcher";
import type { Ask } from "./ask.ts";
import type { Desk } from "./desk.ts";
import { endOf } from "./end.ts";
import { belongs, HANDLE_VERSION, type Handle } from "./handle.ts";
import type { Listing } from "./listing.ts";
import type { Places } from "./places.ts";
import type { JobRow, Scheduler } from "./schedulers/scheduler.ts";

/** What a look needs. */
export interface Watch {
  readonly scheduler: Scheduler;
  readonly listing: Listing;
  readonly ask: Ask;
  readonly desk: Desk;
  readonly places: Places;
  readonly nodeAddress: "scheduler" | "name";
  readonly log: Logger;
  readonly now: () => number;
}

type Server = StoredServer<Handle>;
/** Undefined: they could not be read. */
type Records = JobRecords | undefined;

/** Accounts whose records are read at one time. */
const AT_ONCE = 8;
const FINISHED_KEPT = 1_000;

const utc = (seconds: number): string => new Date(seconds * 1000).toISOString();

/** The same job, not one that was given its id later. */
const isSame = (job: JobRow | undefined, { owner, submittedAt }: Handle): job is JobRow =>
  job !== undefined &&
  job.owner === owner &&
  (submittedAt === 0 || job.submittedAt === 0 || job.submittedAt === submittedAt);

/** Looks at all servers: one listing, and the records of those that just came up or ended. */
export function watching(watch: Watch) {
  const { scheduler, listing, ask, desk, places, log } = watch;
  const finished = new Map<string, Row>();

  /** Where the job waits, in words. */
  function waiting(tag: string, job: JobRow, state: "queued" | "held"): Row {
    const raw = job.reason ?? "";
    const advice = raw === "" ? undefined : scheduler.adviceFor(raw);
    const words = [advice === undefined ? raw : raw === "" ? advice : `${advice} (${raw})`];
    if (job.startsAt !== undefined && job.startsAt * 1000 > watch.now())
      words.push(`expected start ${utc(job.startsAt).slice(0, 16).replace("T", " ")} UTC`);
    const reason = words.filter((word) => word !== "").join("; ");
    return { tag, state, ...(reason !== "" && { reason }) };
  }

  async function urlOf(job: JobRow, records: JobRecords): Promise<string | undefined> {
    const { state } = records;
    if (state?.phase !== "running" || state.port === undefined || job.node === undefined) return undefined;
    const address = watch.nodeAddress === "name" ? job.node : await places.address(job.node);
    if (address === undefined) {
      log.warn({ node: job.node }, "the scheduler does not tell where a node is");
      return undefined;
    }
    return `http://${address.includes(":") ? `[${address}]` : address}:${state.port}`;
  }

  /** Reads the records of these servers, one command for each account. */
  async function recordsOf(servers: readonly Server[]): Promise<Map<string, JobRecords>> {
    const found = new Map<string, JobRecords>();
    const accounts = [...Map.groupBy(servers, ({ handle }) => handle.account)];
    const work = async (): Promise<void> => {
      for (let next = accounts.shift(); next; next = accounts.shift()) {
        const [account, own] = next;
        try {
          const { records } = await desk(account, { action: "records", tags: own.map(({ tag }) => tag) });
          for (const [tag, record] of Object.entries(records)) found.set(tag, record);
        } catch (error) {
          log.warn({ account, err: error }, "records of servers cannot be read");
        }
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, work));
    return found;
  }

  /** Jobs the listing has forgotten, where the scheduler keeps books. */
  async function booksOf(jobIds: readonly string[]): Promise<Map<string, JobRow>> {
    if (jobIds.length === 0) return new Map();
    const rows = await ask(scheduler.argvForFinished(jobIds), (text) => scheduler.parseFinished(text)).catch(
      (error: unknown) => {
        log.debug({ err: error }, "the scheduler keeps no books");
        return [];
      },
    );
    return new Map(rows.map((row) => [row.jobId, row]));
  }

  /** The row of a job that runs, as its records know it. */
  async function running(server: Server, job: JobRow, records: Records): Promise<Row> {
    const { tag } = server;
    const endsAt = job.endsAt === undefined ? {} : { endsAt: utc(job.endsAt) };
    if (records?.exit) return { tag, state: "stopping" };
    const url = server.url !== "" ? server.url : records && (await urlOf(job, records));
    if (!url && !records)
      return { tag, state: "unknown", reason: "the records of the server cannot be read" };
    const state = job.state === "suspended" ? "suspended" : url ? "running" : "starting";
    return { tag, state, ...(url && { url }), ...endsAt };
  }

  async function rowOf(server: Server, job: JobRow | undefined, records: Records): Promise<Row | undefined> {
    const { tag } = server;
    switch (job?.state) {
      case "queued":
      case "held":
        return waiting(tag, job, job.state);
      case "stopping":
        return { tag, state: "stopping" };
      case "unknown":
        return { tag, state: "unknown", reason: "the batch system cannot tell" };
      case "starting":
      case "running":
      case "suspended":
        return running(server, job, records);
      default: {
        const row = endOf(tag, job, records);
        if (row?.state === "ended") finished.set(tag, row);
        return row;
      }
    }
  }

  const needsRecords = ({ url }: Server, job: JobRow | undefined): boolean =>
    job === undefined ||
    job.state === "ended" ||
    (["starting", "running", "suspended"].includes(job.state) && url === "");

  return async (servers: readonly Server[]): Promise<Observation> => {
    const startedAt = new Date(watch.now()).toISOString();
    const rows: Row[] = [];
    const asked: Server[] = [];
    for (const server of servers) {
      const { tag, handle } = server;
      const over = finished.get(tag);
      if (handle.v !== HANDLE_VERSION)
        rows.push({ tag, state: "unknown", reason: `handle of version ${handle.v} is not understood` });
      else if (over) rows.push(over);
      else if (belongs(tag, handle)) asked.push(server);
    }
    // Who has no row yet is only absent when the scheduler could be asked.
    const open = servers
      .filter(({ handle }) => handle.v === HANDLE_VERSION)
      .map(({ handle }) => handle.owner);
    if (rows.length === servers.length) return { startedAt, complete: true, rows };
    const jobs = await listing(open);
    const jobOf = ({ handle }: Server, id = handle.jobId): JobRow | undefined => {
      const job = jobs.get(id);
      return isSame(job, id === handle.jobId ? handle : { ...handle, submittedAt: 0 }) ? job : undefined;
    };
    const records = await recordsOf(asked.filter((server) => needsRecords(server, jobOf(server))));
    /** Of two jobs that were submitted for one server the one that claimed it counts. */
    const claimed = (server: Server): JobRow | undefined => {
      const claim = records.get(server.tag)?.claim?.jobId;
      return (claim === undefined ? undefined : jobOf(server, claim)) ?? jobOf(server);
    };
    const gone = asked.filter((server) => !claimed(server) && !records.get(server.tag)?.exit);
    const books = await booksOf(gone.map(({ handle }) => handle.jobId).filter((id) => id !== ""));
    for (const server of asked) {
      const book = books.get(server.handle.jobId);
      const job = claimed(server) ?? (isSame(book, server.handle) ? book : undefined);
      const row = await rowOf(server, job, records.get(server.tag));
      if (row) rows.push(row);
    }
    if (finished.size > FINISHED_KEPT) finished.clear();
    return { startedAt, complete: true, rows };
  };
}
