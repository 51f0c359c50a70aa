import { HubError } from "@elara/contracts";

/** Event streams that are open, so that the end of the service ends them with a hint when to come back. */
export class OpenStreams {
  readonly #ending = new AbortController();
  readonly #open = new Map<string, number>();
  readonly #most: number;
  readonly #mostOfOne: number;
  #count = 0;

  /** How many subscribers of events there may be, in all and of one user or service. */
  constructor({ eventStreams, eventStreamsPerOwner }: OpenStreamsLimits) {
    this.#most = eventStreams;
    this.#mostOfOne = eventStreamsPerOwner;
  }

  /** Aborted when the service ends. */
  get signal(): AbortSignal {
    return this.#ending.signal;
  }

  /** Takes a place for a subscriber of events; the function gives it back, once. Throws EVENTS_TOO_MANY_STREAMS. */
  enter(owner: string): () => void {
    const own = this.#open.get(owner) ?? 0;
    if (this.#count >= this.#most || own >= this.#mostOfOne)
      throw new HubError("EVENTS_TOO_MANY_STREAMS", { retryAfterSeconds: 5 });
    this.#count += 1;
    this.#open.set(owner, own + 1);
    let isIn = true;
    return () => {
      if (!isIn) return;
      isIn = false;
      this.#count -= 1;
      const left = (this.#open.get(owner) ?? 1) - 1;
      if (left > 0) this.#open.set(owner, left);
      else this.#open.delete(owner);
    };
  }

  /** Ends every stream. */
  close(): void {
    this.#ending.abort();
  }
}

export interface OpenStreamsLimits {
  readonly eventStreams: number;
  readonly eventStreamsPerOwner: number;
}
