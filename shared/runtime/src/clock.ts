/** Time, passed in so that tests own it. */
export interface Clock {
  /** Milliseconds since the epoch. */
  now(): number;
  /** Milliseconds on a clock that never jumps. */
  monotonic(): number;
}

export const systemClock: Clock = { now: () => Date.now(), monotonic: () => performance.now() };

/** A moment as it stands in documents: UTC, milliseconds, fixed width. */
export const timestamp = (ms: number): string => new Date(ms).toISOString();
