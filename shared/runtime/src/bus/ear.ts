interface EarOptions {
  readonly queue: string | undefined;
  /** Begins to listen; returns the way out. */
  listen(): () => void;
  idle(): Promise<void>;
  close(): Promise<void>;
}

/** One thing listened to, which can leave its queue and come back. */
export class Ear {
  readonly queue: string | undefined;
  readonly #options: EarOptions;
  #stop: (() => void) | undefined;
  #ended = false;

  constructor(options: EarOptions) {
    this.queue = options.queue;
    this.#options = options;
  }

  /** Listens, if it does not yet and has not ended. */
  join(): void {
    if (!this.#ended) this.#stop ??= this.#options.listen();
  }

  /** No more messages until `join`; what was taken is handled. */
  part(): void {
    this.#stop?.();
    this.#stop = undefined;
  }

  /** Resolves when what was taken is handled. */
  idle(): Promise<void> {
    return this.#options.idle();
  }

  /** No more messages for ever; resolves when the running handler is done. */
  end(): Promise<void> {
    this.#ended = true;
    this.part();
    return this.#options.close();
  }
}
