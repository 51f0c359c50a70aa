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
  /** Flushes and ends. */
  close(): Promise<void>;
}
