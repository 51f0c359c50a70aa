import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import type { FieldKeywords, RowState, SpawnRequest } from "@elara/sdk";

/** One job at the mock backend. */
export interface Job {
  readonly tag: string;
  readonly number: number;
  state: RowState;
  url: string;
  http?: Server;
  exitCode?: number;
  signal?: string;
  code?: string;
  /** Said in its rows; queued ones say "Priority" without. */
  reason?: string;
  endsAt?: string;
  /** How this job misbehaves. */
  readonly mood: Mood;
  /** What it was started with: another start of its tag does not change it. */
  readonly env: Readonly<Record<string, string>>;
  lines: string[];
  stops: number;
}

/** What a job may do wrong, by the options it was started with. */
export interface Mood {
  /** `start` throws MOCK_REFUSED. */
  readonly refuses: boolean;
  /** `start` takes so long; -1: until the world says `finishSubmits`. */
  readonly submitMs: number;
  /** `start` does not listen to its signal. */
  readonly deaf: boolean;
  /** `start` makes its job at once, waits after it, and takes it back when it is aborted. */
  readonly makesFirst: boolean;
  /** Stays queued until the world says `allocate`. */
  readonly queues: boolean;
  /** No address is ever known. */
  readonly homeless: boolean;
  /** Listens, and answers 503 for ever. */
  readonly sick: boolean;
  /** The process ends as soon as it is looked at. */
  readonly endsAtOnce: boolean;
  /** `stop` is taken and nothing happens. */
  readonly ignoresStop: boolean;
}

/**
 * A backend in memory that any number of service instances see: what survives them. Jobs are tiny real HTTP servers.
 * The world can be made to misbehave as a whole: `isDown`, `hidden`, `isIncomplete`.
 */
export class MockWorld {
  readonly jobs = new Map<string, Job>();
  /** What the spawner answers to `form`; a function may throw or hang. */
  form: (signal: AbortSignal) => Promise<Readonly<Record<string, FieldKeywords>>> = async () => ({});
  forms = 0;
  /** The spawner's own rules for whole options; undefined: it has none. */
  rules: ((options: Record<string, unknown>) => void | Promise<void>) | undefined;
  /** Where its servers reach the hub; undefined: the spawner has no `apiUrl`. */
  apiUrl: (() => Promise<string>) | undefined;
  /** What `start` was called with, newest last. */
  readonly requests: Pick<SpawnRequest<Record<string, unknown>>, "argv" | "env" | "options">[] = [];
  /** Steps of the starts that wait for the world. */
  readonly tellers: ((message: string) => void)[] = [];
  /** Every job ever made, also those that ended: two for one tag are a double start. */
  readonly made: Job[] = [];
  readonly cleaned: string[] = [];
  readonly calls: string[] = [];
  /** Nobody answers: observe, stop and locate throw. */
  isDown = false;
  /** locate throws. */
  isSearchDown = false;
  /** locate throws MOCK_REFUSED. */
  isSearchRefused = false;
  /** start throws as if its option `refuses` was set. */
  refusesStarts = false;
  /** What `refuses` throws promises that nothing was made. */
  isNothingMade = false;
  /** Tags that observe does not show. */
  readonly hidden = new Set<string>();
  /** Tags that locate does not find. */
  readonly unfindable = new Set<string>();
  /** observe says that it has not seen all. */
  isIncomplete = false;
  observed = 0;
  /** How long observe takes to answer, and when it was asked, by a clock that no test moves. */
  looksTakeMs = 0;
  readonly lookedAt: number[] = [];
  /** Tags asked for, look by look. */
  readonly looks: string[][] = [];
  /** How often a spawner of this world wants to be asked. */
  observeMs = { moving: 20, resting: 60 };
  /** Tokens of all starts, also those that found their job made. */
  readonly tokens: string[] = [];
  /** observe, locate or logs does not answer until its call is given up, which is then in `aborted`; so is a start. */
  holds: "" | "observe" | "locate" | "logs" = "";
  readonly aborted: string[] = [];
  readonly #submits: (() => void)[] = [];
  readonly #held: (() => void)[] = [];
  /** Only the spawner whose option `fixed` is this hangs; "": all. */
  holdsOnly = "";

  /** What hangs is answered after all. */
  letGo(): void {
    this.holds = "";
    for (const go of this.#held.splice(0)) go();
  }

  /** Lets every start that waits for the world go on. */
  finishSubmits(): void {
    for (const finish of this.#submits.splice(0)) finish();
  }
  get waitingSubmits(): number {
    return this.#submits.length;
  }
  untilFinished(): Promise<void> {
    return new Promise((resolve) => this.#submits.push(resolve));
  }

  /** Hangs while the world holds calls of this kind. */
  async hold(kind: "observe" | "locate" | "logs", signal: AbortSignal): Promise<void> {
    if (this.holds !== kind) return;
    await new Promise<void>((resolve, reject) => {
      this.#held.push(resolve);
      signal.addEventListener("abort", () => {
        this.aborted.push(kind);
        reject(signal.reason);
      });
    });
  }

  /** Jobs under a tag that has one already: what a backend without a fence lets an old call make. */
  readonly twins = new Map<string, Job>();

  /** An old call gets through after all and makes a second job for the tag. */
  makeTwin(tag: string): Job {
    const first = this.jobs.get(tag);
    if (!first) throw new Error("no job to double");
    const twin: Job = {
      ...first,
      number: this.made.length + 1,
      state: "running",
      url: "http://127.0.0.1:9",
      stops: 0,
    };
    delete twin.http;
    this.twins.set(tag, twin);
    this.made.push(twin);
    return twin;
  }

  /** Idempotent on the tag, as a backend has to be. */
  async make(tag: string, mood: Mood, env: Readonly<Record<string, string>>): Promise<Job> {
    const known = this.jobs.get(tag);
    if (known) return known;
    const job: Job = {
      tag,
      number: this.made.length + 1,
      state: mood.queues ? "queued" : "starting",
      url: "",
      mood,
      env,
      lines: [],
      stops: 0,
    };
    this.jobs.set(tag, job);
    this.made.push(job);
    if (!mood.queues) await this.#boot(job);
    return job;
  }

  /** A queued job gets its place. */
  async allocate(tag: string): Promise<void> {
    const job = this.jobs.get(tag);
    if (job) await this.#boot(job);
  }

  async #boot(job: Job): Promise<void> {
    job.lines.push(...Array.from({ length: 80 }, (_, index) => `line ${index + 1}`));
    if (job.mood.endsAtOnce) {
      job.lines.push("Error: no such module");
      return this.end(job.tag, { exitCode: 3 });
    }
    if (job.mood.homeless) return;
    const http = createServer((_request, response) => {
      response.writeHead(job.mood.sick ? 503 : 200).end("{}");
    });
    http.unref();
    await new Promise<void>((resolve) => http.listen(0, "127.0.0.1", resolve));
    const { port } = http.address() as AddressInfo;
    job.http = http;
    job.url = `http://127.0.0.1:${port}`;
    job.state = "running";
  }

  /** The job's process ends. */
  end(tag: string, how: { exitCode?: number; signal?: string; code?: string } = { exitCode: 0 }): void {
    const job = this.jobs.get(tag);
    if (!job) return;
    job.http?.closeAllConnections();
    job.http?.close();
    Object.assign(job, how);
    job.state = "ended";
  }

  /** The backend forgets the job as if it had never been. */
  lose(tag: string): void {
    this.end(tag);
    this.jobs.delete(tag);
  }

  /** Jobs whose process is there. */
  get alive(): Job[] {
    return [...this.jobs.values(), ...this.twins.values()].filter((job) => job.state !== "ended");
  }

  close(): void {
    for (const tag of this.jobs.keys()) this.end(tag);
  }
}
