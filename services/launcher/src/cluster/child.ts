import { type ChildProcess, spawn } from "node:child_process";
import { createWriteStream, mkdirSync } from "node:fs";
import { join } from "node:path";
import { HubError } from "@elara/contracts";

const FIRST_PAUSE_MS = 500;
const LONGEST_PAUSE_MS = 10_000;
/** A process that lived this long starts again without a growing pause. */
const STEADY_MS = 30_000;
const LAST_WORDS = 4000;

export interface ChildSettings {
  readonly name: string;
  readonly program: string;
  readonly args: readonly string[];
  readonly logDir: string;
  readonly env?: NodeJS.ProcessEnv;
  /** Told at every start and end. */
  readonly onChange: () => void;
  /** It says over IPC when it is ready, as the hub's services do. */
  readonly saysReady: boolean;
}

/** One process that is started again whenever it ends, as systemd's Restart=always does. */
export class Child {
  readonly name: string;
  #settings: ChildSettings;
  #process: ChildProcess | undefined;
  #pause = FIRST_PAUSE_MS;
  #timer: NodeJS.Timeout | undefined;
  #stopping = false;
  #isUp = false;
  readonly #ready = Promise.withResolvers<void>();
  /**
   * Resolves when the process has said that it is ready, for the first time; only the hub's own services say so.
   * Rejects with CLUSTER_CHILD_FAILED when it ends before: then it is not started again.
   */
  readonly ready = this.#ready.promise;

  constructor(settings: ChildSettings) {
    this.name = settings.name;
    this.#settings = settings;
    mkdirSync(settings.logDir, { recursive: true, mode: 0o700 });
    // Awaited by whoever started it; a failure nobody waits for is in the log.
    this.ready.catch(() => {});
    this.#start();
  }

  get pid(): number | undefined {
    return this.#process?.pid;
  }

  #start(): void {
    const { program, args, logDir, env, onChange } = this.#settings;
    const log = createWriteStream(join(logDir, `${this.name}.log`), { flags: "a", mode: 0o600 });
    const startedAt = performance.now();
    const child = spawn(program, args, {
      stdio: ["ignore", "pipe", "pipe", "ipc"],
      env: { ...process.env, ...env },
    });
    this.#process = child;
    let words = "";
    child.stderr?.setEncoding("utf8").on("data", (text: string) => {
      words = (words + text).slice(-LAST_WORDS);
    });
    child.once("message", () => {
      this.#isUp = true;
      this.#ready.resolve();
    });
    child.stdout?.pipe(log, { end: false });
    child.stderr?.pipe(log, { end: false });
    child.once("error", (error) => log.write(`${String(error)}\n`));
    child.once("close", () => {
      log.end();
      this.#process = undefined;
      onChange();
      if (this.#stopping) return;
      if (!this.#isUp && this.#settings.saysReady) {
        this.#stopping = true;
        this.#ready.reject(this.#failed(words));
        return;
      }
      this.#pause =
        performance.now() - startedAt > STEADY_MS
          ? FIRST_PAUSE_MS
          : Math.min(this.#pause * 2, LONGEST_PAUSE_MS);
      this.#timer = setTimeout(() => this.#start(), this.#pause);
    });
    onChange();
  }

  #failed(words: string): HubError {
    // The command's own sentence where there is one, else the end of what it printed.
    const told = /^elara: [\s\S]*/m.exec(words)?.[0].trim() ?? words.trim().split("\n").slice(-5).join("\n");
    return new HubError("CLUSTER_CHILD_FAILED", {
      operator: `${this.name} ended before it was ready. Its last words:\n    ${told.replaceAll("\n", "\n    ")}`,
    });
  }

  /** Ends it for good: TERM, KILL after 12 s. */
  async stop(): Promise<void> {
    this.#stopping = true;
    clearTimeout(this.#timer);
    const child = this.#process;
    if (!child) return;
    const ended = new Promise<void>((done) => child.once("close", () => done()));
    child.kill("SIGTERM");
    const kill = setTimeout(() => child.kill("SIGKILL"), 12_000);
    await ended;
    clearTimeout(kill);
  }
}
