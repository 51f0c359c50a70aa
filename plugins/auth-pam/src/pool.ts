/** At most `size` tasks at a time; at most `queue` more wait. */
export class Pool {
  #running = 0;
  readonly #size: number;
  readonly #queue: number;
  readonly #waiting: (() => void)[] = [];

  constructor(size: number, queue: number) {
    this.#size = size;
    this.#queue = queue;
  }

  /** Resolves when it is this caller's turn, to the function that ends the turn; undefined when the queue is full. */
  async enter(signal: AbortSignal): Promise<(() => void) | undefined> {
    if (this.#running >= this.#size) {
      if (this.#waiting.length >= this.#queue) return undefined;
      await this.#turn(signal);
    } else this.#running += 1;
    let isOver = false;
    return () => {
      if (isOver) return;
      isOver = true;
      const next = this.#waiting.shift();
      if (next) next();
      else this.#running -= 1;
    };
  }

  #turn(signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const leave = () => {
        this.#waiting.splice(this.#waiting.indexOf(turn), 1);
        reject(signal.reason);
      };
      const turn = () => {
        signal.removeEventListener("abort", leave);
        resolve();
      };
      this.#waiting.push(turn);
      signal.addEventListener("abort", leave, { once: true });
    });
  }
}
