/** Lets one waiter sleep until it is rung for or time is up; a ring while nobody waits is kept for the next. */
export interface Bell {
  ring(): void;
  /** Resolves after `ms`, or at once when rung. */
  wait(ms: number): Promise<void>;
}

/** A new bell. */
export function bell(): Bell {
  let rung = false;
  let wake: (() => void) | undefined;
  return {
    ring() {
      if (wake) wake();
      else rung = true;
    },
    wait(ms) {
      if (rung || ms <= 0) {
        rung = false;
        return Promise.resolve();
      }
      return new Promise((resolve) => {
        const end = () => {
          clearTimeout(timer);
          wake = undefined;
          resolve();
        };
        const timer = setTimeout(end, ms);
        wake = end;
      });
    },
  };
}
