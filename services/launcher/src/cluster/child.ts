import { type ChildProcess, spawn } from "node:child_process";
import { createWriteStream, mkdirSync } from "node:fs";
import { join } from "node:path";

const FIRST_PAUSE_MS = 500;
const LONGEST_PAUSE_MS = 10_000;
/** A process that lived this long starts again without a growing pause. */
const STEADY_MS = 30_000;

export interface ChildSettings {
  readonly name: string;
  readonly program: string;
  readonly args: readonly string[];
  readonly logDir: string;
  readonly env?: NodeJS.ProcessEnv;
  /** Told at every start and end. */
  readonly onChange: () => void;
}

/** One process that is started again whenever it ends, as systemd's Restart=always does. */
export class Child {
  readonly name: string;
  #settings: ChildSettings;
  #process: ChildProcess | undefined;
  #pause = FIRST_PAUSE_MS;
  #timer: NodeJS.Timeout | undefined;
  #stopping = false;
  readonly #ready = Promise.withResolvers<void>();
  /** Resolves when the process has said that it is ready, for the first time. Only the hub's own services say so. */
  readonly ready = this.#ready.promise;

  constructor(settings: ChildSettings) {
    this.name = settings.name;
    this.#settings = settings;
    mkdirSync(settings.logDir, { recursive: true, mode: 0o700 });
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
    child.once("message", () => this.#ready.resolve());
    child.stdout?.pipe(log, { end: false });
    child.stderr?.pipe(log, { end: false });
    child.once("error", (error) => log.write(`${String(error)}\n`));
    child.once("close", () => {
      log.end();
      this.#process = undefined;
      onChange();
      if (this.#stopping) return;
      this.#pause =
        performance.now() - startedAt > STEADY_MS
          ? FIRST_PAUSE_MS
          : Math.min(this.#pause * 2, LONGEST_PAUSE_MS);
      this.#timer = setTimeout(() => this.#start(), this.#pause);
    });
    onChange();
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
