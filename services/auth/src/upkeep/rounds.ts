import type { Logger } from "pino";

/** Work done again and again, one round at a time. */
export interface Rounds {
  /** A round now; one that runs is followed by another. */
  now(): void;
  /** Resolves when the running round is done; no more follow. */
  close(): Promise<void>;
}

/** Does a round every so often and when told. A failed one is logged and followed by the next. */
export function rounds(everyMs: number, round: () => Promise<void>, log: Logger): Rounds {
  let running: Promise<void> | undefined;
  let isWanted = false;
  let isClosed = false;
  const run = (): void => {
    isWanted = true;
    if (isClosed) return;
    running ??= (async () => {
      while (isWanted && !isClosed) {
        isWanted = false;
        await round().catch((error) => log.warn({ err: error }, "upkeep failed"));
      }
      running = undefined;
    })();
  };
  const timer = setInterval(run, everyMs);
  timer.unref();
  return {
    now: run,
    async close() {
      isClosed = true;
      clearInterval(timer);
      await running;
    },
  };
}
