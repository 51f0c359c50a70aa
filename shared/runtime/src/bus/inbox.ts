import { MAX_WAITING } from "./bus.ts";

/** How long further drops are gathered before `lagged` is called again. */
const LAGGED_AGAIN_MS = 1000;

/** Messages waiting for one handler: one at a time, in order, never in the turn they came; the oldest are dropped beyond 1,000. */
export class Inbox<M> {
  readonly #handle: (message: M) => void | Promise<void>;
  readonly #lagged: (dropped: number) => void;
  readonly #waiting: M[] = [];
  #running: Promise<void> | undefined;
  #closed = false;
  #dropped = 0;
  #laggedTimer: NodeJS.Timeout | undefined;
  #laggedBefore = false;

  /** `handle` and `lagged` must not throw. */
  constructor(handle: (message: M) => void | Promise<void>, lagged: (dropped: number) => void) {
    this.#handle = handle;
    this.#lagged = lagged;
  }

  push(message: M): void {
    if (this.#closed) return;
    this.#waiting.push(message);
    if (this.#waiting.length > MAX_WAITING) {
      this.#waiting.shift();
      this.#drop();
    }
    this.#running ??= this.#run();
  }

  /** Resolves when nothing waits and no handler runs. */
  async idle(): Promise<void> {
    while (this.#running !== undefined) await this.#running;
  }

  /** Forgets what waits; resolves when the running handler is done. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#waiting.length = 0;
    clearTimeout(this.#laggedTimer);
    await this.#running;
  }

  async #run(): Promise<void> {
    await new Promise(setImmediate);
    for (let message = this.#waiting.shift(); message !== undefined; message = this.#waiting.shift()) {
      await this.#handle(message);
    }
    this.#running = undefined;
  }

  // Every drop is followed by a call, so that whoever re-reads on it misses nothing; a flood makes one call a second.
  #drop(): void {
    this.#dropped += 1;
    if (this.#laggedTimer !== undefined) return;
    const afterMs = this.#laggedBefore ? LAGGED_AGAIN_MS : 0;
    this.#laggedBefore = true;
    this.#laggedTimer = setTimeout(() => {
      this.#laggedTimer = undefined;
      const dropped = this.#dropped;
      this.#dropped = 0;
      this.#lagged(dropped);
    }, afterMs);
  }
}
