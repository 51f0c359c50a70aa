/** Takes one message; `answer` sends back to whoever asked and does nothing when nobody did. */
export type OnMessage = (bytes: Uint8Array, answer: (bytes: Uint8Array) => void) => void;

/**
 * What an adapter brings: bytes from here to there. `busOver` makes the bus of it, so that validation, limits,
 * deadlines and queues are the same code for all adapters.
 */
export interface Wire {
  readonly connected: boolean;
  /** Called on every change of `connected`. Returns the way out. */
  onChange(listener: (connected: boolean) => void): () => void;
  /** Hands a message over; nobody confirms it. Throws BUS_AWAY while disconnected. */
  send(subject: string, bytes: Uint8Array): void;
  /** Resolves when the bus has acknowledged the message; `id` lets it drop a repetition. Throws BUS_AWAY, BUS_TIMEOUT, BUS_STREAM_MISSING. */
  store(subject: string, bytes: Uint8Array, id: string): Promise<void>;
  /** Asks once. Throws BUS_NO_RESPONDERS, BUS_TIMEOUT or BUS_AWAY. */
  ask(subject: string, bytes: Uint8Array, timeoutMs: number): Promise<Uint8Array>;
  /**
   * Messages that match the pattern, in order; members of a queue share them. Returns the way out, which resolves when
   * what was already on its way has come: a queue's message must not be lost with the one who leaves.
   */
  listen(pattern: string, queue: string | undefined, onMessage: OnMessage): () => Promise<void>;
  /** What `store` has acknowledged. */
  readonly facts: FactLog;
  /** Flushes and ends. */
  close(): Promise<void>;
}

/** A fact as it is kept. */
export interface KeptFact {
  /** Its place in the log: rises and is never used again, also not by a log that is begun anew. */
  readonly sequence: number;
  readonly subject: string;
  readonly bytes: Uint8Array;
}

/** How long facts are kept, and how many bytes of them, whatever keeps them. */
export const FACTS_KEPT_MS = 14 * 86_400_000;
export const FACTS_KEPT_BYTES = 512 * 1024 * 1024;

/** Facts in the order they were acknowledged, kept for a while. */
export interface FactLog {
  /** The first that is kept and the last there ever was; `last + 1` and `last` when none is kept. Throws BUS_AWAY, BUS_TIMEOUT, BUS_STREAM_MISSING. */
  span(): Promise<{ readonly first: number; readonly last: number }>;
  /**
   * What is kept behind `after` and then what comes, in order, until the signal aborts; no more than about a hundred
   * ahead of who reads. Begins at the first that is there. Throws what `span` throws, also in between.
   */
  read(options: {
    readonly after: number;
    readonly patterns: readonly string[];
    readonly signal: AbortSignal;
  }): AsyncIterable<KeptFact>;
}
