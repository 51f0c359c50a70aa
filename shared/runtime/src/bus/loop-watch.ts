import type { Clock } from "../clock.ts";

const TICK_MS = 200;
/** The loop stood when a tick comes so much too late. */
export const STALL_MS = 1000;
/** The loop has caught up after so many ticks in time. */
const CALM_TICKS = 3;

export interface LoopWatchOptions {
  readonly clock: Clock;
  readonly onStall: (lateMs: number) => void;
  readonly onCaughtUp: () => void;
}

export interface LoopWatch {
  /**
   * Looks now, without waiting for the next tick: a loop that goes on reads its sockets before its timers, so whoever
   * takes messages looks first.
   */
  look(): void;
  close(): void;
}

/** Watches the event loop: tells when it stood for more than a second, and when it has caught up. */
export function watchLoop({ clock, onStall, onCaughtUp }: LoopWatchOptions): LoopWatch {
  let lastAt = clock.monotonic();
  /** Undefined while all is well. */
  let calmTicks: number | undefined;

  const look = (): number => {
    const now = clock.monotonic();
    const lateMs = now - lastAt - TICK_MS;
    if (lateMs <= STALL_MS) return lateMs;
    lastAt = now;
    if (calmTicks === undefined) onStall(lateMs);
    calmTicks = 0;
    return lateMs;
  };
  const tick = (): void => {
    const lateMs = look();
    lastAt = clock.monotonic();
    if (lateMs > STALL_MS || calmTicks === undefined) return;
    calmTicks = lateMs < TICK_MS ? calmTicks + 1 : 0;
    if (calmTicks < CALM_TICKS) return;
    calmTicks = undefined;
    onCaughtUp();
  };
  const timer = setInterval(tick, TICK_MS);
  timer.unref();
  return { look: () => void look(), close: () => clearInterval(timer) };
}
