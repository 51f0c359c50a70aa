import { ActivitySeen, type LastTimes } from "@elara/contracts";
import type { Bus } from "./bus/bus.ts";
import type { Clock } from "./clock.ts";
import { mergeTimes } from "./last-times.ts";

/** How long what was seen is shown from memory: by then it is in the store. */
const SHOW_MS = 90_000;
const TIDY_MS = 10_000;

/** What any replica saw lately, by activity key, so that a read right after a use shows it. */
export interface RecentActivity {
  /** Seen by this process itself. */
  remember(key: string, last: LastTimes): void;
  /** What was seen lately for this key, laid over what the store has. */
  over(key: string, stored: LastTimes | undefined): LastTimes | undefined;
  close(): Promise<void>;
}

/** Listens to what is seen, and remembers it until the store has it. */
export function recentActivity(bus: Bus, clock: Clock): RecentActivity {
  /** In the order in which they were last seen. */
  const recent = new Map<string, { last: LastTimes; at: number }>();

  const remember = (key: string, last: LastTimes): void => {
    const known = recent.get(key);
    recent.delete(key);
    recent.set(key, { last: mergeTimes(known?.last, last) ?? known?.last ?? last, at: clock.now() });
  };
  const forgetOld = (): void => {
    const oldest = clock.now() - SHOW_MS;
    for (const [key, { at }] of recent) {
      if (at > oldest) return;
      recent.delete(key);
    }
  };
  const subscription = bus.subscribe(ActivitySeen, ({ entries }) => {
    for (const entry of entries) remember(entry.key, entry.last);
  });
  const timer = setInterval(forgetOld, TIDY_MS);
  timer.unref();

  return {
    remember,
    over(key, stored) {
      const seen = recent.get(key);
      return seen ? (mergeTimes(stored, seen.last) ?? stored) : stored;
    },
    async close() {
      clearInterval(timer);
      await subscription.close();
    },
  };
}
