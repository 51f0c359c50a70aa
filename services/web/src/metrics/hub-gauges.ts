import { type Clock, timestamp } from "@elara/runtime/clock";
import type { HubGauges } from "@elara/runtime/metrics/exposition";
import { countActive, countRunning, countUsers } from "@elara/runtime/store/read/counts";
import type { Store } from "@elara/runtime/store/store";
import type { Logger } from "pino";

const HOUR_MS = 3_600_000;
const PERIODS = { "24h": 24 * HOUR_MS, "7d": 7 * 24 * HOUR_MS, "30d": 30 * 24 * HOUR_MS } as const;
/** Several scrapers ask the store once. */
const FRESH_MS = 5000;
/** As JupyterHub does. */
const ACTIVE_EVERY_MS = HOUR_MS;
/** After a count that failed: gone through again, it would only burden a store that is in trouble. */
const AGAIN_MS = 60_000;

/**
 * What is true of the whole hub, from the store: counts in an index at each scrape, active users once an hour and behind the scrape's back,
 * because for those the activity of everybody is gone through. Store away: as they were.
 */
export function hubGauges({ store, clock, log }: { store: Store; clock: Clock; log: Logger }) {
  let counts = { users: Number.NaN, running: Number.NaN };
  let active: Record<string, number> = Object.fromEntries(
    Object.keys(PERIODS).map((name) => [name, Number.NaN]),
  );
  let countedAt = Number.NEGATIVE_INFINITY;
  let activeAt = Number.NEGATIVE_INFINITY;

  async function countThoseActive(): Promise<void> {
    activeAt = clock.monotonic();
    const now = clock.now();
    try {
      const found = await countActive(
        store,
        Object.values(PERIODS).map((ms) => timestamp(now - ms)),
      );
      active = Object.fromEntries(Object.keys(PERIODS).map((name, at) => [name, found[at] ?? Number.NaN]));
    } catch (error) {
      activeAt = clock.monotonic() - ACTIVE_EVERY_MS + AGAIN_MS;
      log.info({ err: error }, "active users not counted");
    }
  }

  return {
    async read(): Promise<HubGauges> {
      const now = clock.monotonic();
      if (now - activeAt > ACTIVE_EVERY_MS) void countThoseActive();
      if (now - countedAt > FRESH_MS) {
        countedAt = now;
        try {
          const [users, running] = await Promise.all([countUsers(store), countRunning(store)]);
          counts = { users, running };
        } catch (error) {
          log.info({ err: error }, "users and servers not counted");
        }
      }
      return { ...counts, active };
    },
  };
}
