interface EarOptions {
  readonly queue: string | undefined;
  /** Begins to listen; returns the way out. */
  listen(): () => Promise<void>;
  idle(): Promise<void>;
  /** Handles nothing more than what is being handled. */
  close(): Promise<void>;
}

/** One thing listened to, which can leave its queue and come back. */
export class Ear {
  readonly queue: string | undefined;
  readonly #options: EarOptions;
  #stop: (() => Promise<void>) | undefined;
  #ended = false;

  constructor(options: EarOptions) {
    this.queue = options.queue;
    this.#options = options;
  }

  /** Listens, if it does not yet and has not ended. */
  join(): void {
    if (!this.#ended) this.#stop ??= this.#options.listen();
  }

  /** No more messages until `join`; resolves when the last one has come. */
  async part(): Promise<void> {
    const stop = this.#stop;
    this.#stop = undefined;
    await stop?.();
  }

  /** Resolves when what was taken is handled. */
  idle(): Promise<void> {
    return this.#options.idle();
  }

  /** No more messages for ever; resolves when the running handler is done. */
  async end(): Promise<void> {
    this.#ended = true;
    const closed = this.#options.close();
    await this.part();
    await closed;
    await this.idle();
  }
}
