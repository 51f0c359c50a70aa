import type { Clock } from "../clock.ts";

const TICK_MS = 200;
/** The loop stood when a tick comes so much too late. */
const STALL_MS = 1000;
/** The loop has caught up after so many ticks in time. */
const CALM_TICKS = 3;

export interface LoopWatchOptions {
  readonly clock: Clock;
  readonly onStall: (lateMs: number) => void;
  readonly onCaughtUp: () => void;
}

/** Watches the event loop: tells when it stood for more than a second, and when it has caught up. Returns the way out. */
export function watchLoop({ clock, onStall, onCaughtUp }: LoopWatchOptions): () => void {
  let lastAt = clock.monotonic();
  /** Undefined while all is well. */
  let calmTicks: number | undefined;
  const timer = setInterval(() => {
    const now = clock.monotonic();
    const lateMs = now - lastAt - TICK_MS;
    lastAt = now;
    if (lateMs > STALL_MS) {
      if (calmTicks === undefined) onStall(lateMs);
      calmTicks = 0;
    } else if (calmTicks !== undefined) {
      calmTicks = lateMs < TICK_MS ? calmTicks + 1 : 0;
      if (calmTicks < CALM_TICKS) return;
      calmTicks = undefined;
      onCaughtUp();
    }
  }, TICK_MS);
  timer.unref();
  return () => clearInterval(timer);
}
