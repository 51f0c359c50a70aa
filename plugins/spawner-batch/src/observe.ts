import {
  foreignHandle,
  type Logger,
  type Observation,
  type PortRange,
  type Row,
  type StoredServer,
} from "@elara/sdk";
import type { JobRecords } from "@elara/sdk/launcher";
import type { Ask } from "./ask.ts";
import type { Cluster } from "./cluster.ts";
import type { Desk } from "./desk.ts";
import { endOf } from "./end.ts";
import { goneJobs } from "./gone.ts";
import { belongs, HANDLE_VERSION, type Handle } from "./handle.ts";
import type { Listing } from "./listing.ts";
import { patientRecords } from "./records.ts";
import type { JobRow, Scheduler } from "./schedulers/scheduler.ts";

/** What a look needs. */
export interface Watch {
  readonly scheduler: Scheduler;
  readonly listing: Listing;
  readonly ask: Ask;
  readonly desk: Desk;
  readonly cluster: Cluster;
  readonly portRange: PortRange;
  readonly nodeAddress: "scheduler" | "name";
  readonly log: Logger;
  readonly now: () => number;
}

type Server = StoredServer<Handle>;
/** Undefined: they could not be read. */
type Records = JobRecords | "late" | undefined;

const FINISHED_KEPT = 1_000;

const utc = (seconds: number): string => new Date(seconds * 1000).toISOString();

/** The same job, not one that was given its id later. */
const isSame = (job: JobRow | undefined, handle: Handle): job is JobRow =>
  job !== undefined &&
  job.owner === handle.owner &&
  (handle.submittedAt === 0 || job.submittedAt === 0 || job.submittedAt === handle.submittedAt);

/** Looks at all servers: one listing, and the records of those that just came up or ended. */
export function watching(watch: Watch) {
  const { scheduler, listing, ask, cluster, log } = watch;
  const finished = new Map<string, Row>();
  const recordsOf = patientRecords(watch);
  const gone = goneJobs(ask, scheduler, log);

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

  async function urlOf(job: JobRow, records: JobRecords, signal?: AbortSignal): Promise<string | undefined> {
    const { state } = records;
    if (state?.phase !== "running" || state.port === undefined || job.node === undefined) return undefined;
    // Its owner can write the record: only a port that servers get is taken from it.
    const [first, last] = watch.portRange;
    if (state.port < first || state.port > last) {
      log.warn({ node: job.node, port: state.port }, "a record names a port that no server gets");
      return undefined;
    }
    const address = watch.nodeAddress === "name" ? job.node : await cluster.address(job.node, signal);
    if (address === undefined) {
      log.warn({ node: job.node }, "the scheduler does not tell where a node is");
      return undefined;
    }
    return `http://${address.includes(":") ? `[${address}]` : address}:${state.port}`;
  }

  /** Jobs the listing has forgotten, where the scheduler keeps books. */
  async function booksOf(jobIds: readonly string[], signal?: AbortSignal): Promise<Map<string, JobRow>> {
    if (jobIds.length === 0) return new Map();
    const argv = scheduler.argvForFinished(jobIds);
    const rows = await ask(argv, (text) => scheduler.parseFinished(text), signal).catch((error: unknown) => {
      signal?.throwIfAborted();
      log.debug({ err: error }, "the scheduler keeps no books");
      return [];
    });
    return new Map(rows.map((row) => [row.jobId, row]));
  }

  /** The row of a job that runs, as its records know it. */
  async function running(server: Server, job: JobRow, read: Records, signal?: AbortSignal): Promise<Row> {
    const { tag } = server;
    const endsAt = job.endsAt === undefined ? {} : { endsAt: utc(job.endsAt) };
    const records = read === "late" ? undefined : read;
    if (records?.exit) return { tag, state: "stopping" };
    const url = server.url !== "" ? server.url : records && (await urlOf(job, records, signal));
    if (!url && !read) return { tag, state: "unknown", reason: "the records of the server cannot be read" };
    const state = job.state === "suspended" ? "suspended" : url ? "running" : "starting";
    return { tag, state, ...(url && { url }), ...endsAt };
  }

  async function rowOf(
    server: Server,
    job: JobRow | undefined,
    records: Records,
    signal?: AbortSignal,
  ): Promise<Row | undefined> {
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
        return running(server, job, records, signal);
      default: {
        if (records === "late")
          return { tag, state: "unknown", reason: "its job has ended, its records have not been read yet" };
        const row = endOf(tag, job, records);
        if (row?.state === "ended") finished.set(tag, row);
        return row;
      }
    }
  }

  const isOver = (job: JobRow | undefined): boolean => job === undefined || job.state === "ended";
  const needsRecords = ({ url }: Server, job: JobRow | undefined): boolean =>
    isOver(job) || (["starting", "running", "suspended"].includes(job?.state ?? "") && url === "");

  return async (servers: readonly Server[], signal?: AbortSignal): Promise<Observation> => {
    const rows: Row[] = [];
    const asked: Server[] = [];
    for (const server of servers) {
      const { tag, handle } = server;
      const over = finished.get(tag);
      if (handle.v !== HANDLE_VERSION) rows.push(foreignHandle(tag, handle.v));
      else if (over) rows.push(over);
      else if (belongs(tag, handle)) asked.push(server);
    }
    // Who has no row yet is only absent when the scheduler could be asked.
    const open = servers
      .filter(({ handle }) => handle.v === HANDLE_VERSION)
      .map(({ handle }) => handle.owner);
    if (rows.length === servers.length) return { complete: true, rows };
    const jobs = await listing(open, signal);
    const jobOf = ({ handle }: Server, id = handle.jobId): JobRow | undefined => {
      const job = jobs.get(id);
      return isSame(job, id === handle.jobId ? handle : { ...handle, submittedAt: 0 }) ? job : undefined;
    };
    const wanted = asked.filter((server) => needsRecords(server, jobOf(server)));
    const { records, late } = await recordsOf(
      new Map(wanted.map((server) => [server, isOver(jobOf(server))])),
      signal,
    );
    /** Of two jobs that were submitted for one server the one that claimed it counts. */
    const claimed = (server: Server): JobRow | undefined => {
      const claim = records.get(server.tag)?.claim?.jobId;
      const job = jobOf(server);
      const claimant = claim === undefined ? undefined : jobOf(server, claim);
      // Its owner can write the claim: that ends no job that lives.
      return claimant && (isOver(job) || !isOver(claimant)) ? claimant : job;
    };
    const missing = asked.filter((server) => !claimed(server) && server.handle.jobId !== "");
    const hasExit = ({ tag }: Server): boolean => Boolean(records.get(tag)?.exit);
    const idsOf = (some: readonly Server[]) => some.map(({ handle }) => handle.jobId);
    const books = await booksOf(idsOf(missing.filter((server) => !hasExit(server))), signal);
    // A listing that is empty by mistake looks like the end of all; an id that is another job's by now does not.
    const doubted = missing.filter(({ handle }) => !books.has(handle.jobId) && !jobs.has(handle.jobId));
    const denied = await gone(idsOf(doubted), signal);
    /** Without an end in its records only a denial counts; its owner can write one, so a job that is there goes before it. */
    const mayLive = (server: Server): boolean =>
      doubted.includes(server) && !(denied.get(server.handle.jobId) ?? hasExit(server));
    for (const server of asked) {
      const { tag, handle } = server;
      const book = books.get(handle.jobId);
      const job = claimed(server) ?? (isSame(book, handle) ? book : undefined);
      if (mayLive(server)) {
        rows.push({ tag, state: "unknown", reason: "the batch system does not list its job" });
        continue;
      }
      const row = await rowOf(server, job, late.has(tag) ? "late" : records.get(tag), signal);
      if (row) rows.push(row);
    }
    if (finished.size > FINISHED_KEPT) finished.clear();
    return { complete: true, rows };
  };
}
