import type { Clock } from "@elara/runtime/clock";

/** Time that a test can push forward; it runs by itself as well. */
export class TestClock implements Clock {
  #ahead = 0;
  now(): number {
    return Date.now() + this.#ahead;
  }
  monotonic(): number {
    return performance.now() + this.#ahead;
  }
  advance(seconds: number): void {
    this.#ahead += seconds * 1000;
  }
}
