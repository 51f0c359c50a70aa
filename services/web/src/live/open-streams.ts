/** Event streams that are open, so that the end of the service ends them with a hint when to come back. */
export class OpenStreams {
  readonly #ending = new AbortController();

  /** Aborted when the service ends. */
  get signal(): AbortSignal {
    return this.#ending.signal;
  }

  /** Ends every stream. */
  close(): void {
    this.#ending.abort();
  }
}
