import { ActivitySeen } from "@elara/contracts";
import type { Bus } from "@elara/runtime/bus/bus";
import { type Clock, timestamp } from "@elara/runtime/clock";
import type { RouteEntry } from "./route-book.ts";

/** When each server last had traffic, folded in memory and reported every few seconds where it changed. */
export interface Activity {
  /** Traffic for this route, now. Cheap: called for every piece of data. */
  touch(entry: RouteEntry): void;
  /** Reports what changed since the last report; while the bus is away it is kept. */
  report(): void;
  /** Reports once more and stops. */
  close(): void;
}

/** Entries of one notice (its contract says at most 500). */
const BATCH = 500;

export function trafficActivity(options: { bus: Bus; clock: Clock; everyMs: number }): Activity {
  const { bus, clock, everyMs } = options;
  const changed = new Map<string, { userId: string; at: number }>();

  function report(): void {
    // A notice is lost while the bus is away: what was seen waits, one entry for a server.
    if (!bus.connected) return;
    const entries = [...changed].map(([serverId, { userId, at }]) => ({
      userId,
      key: `s:${serverId}`,
      last: { traffic: timestamp(at) },
    }));
    changed.clear();
    for (let from = 0; from < entries.length; from += BATCH)
      bus.notify(ActivitySeen, { entries: entries.slice(from, from + BATCH) }, {});
  }

  const timer = setInterval(report, everyMs);
  timer.unref();
  return {
    touch(entry) {
      if (entry.kind !== "server") return;
      const known = changed.get(entry.id);
      if (known) known.at = clock.now();
      else changed.set(entry.id, { userId: entry.userId, at: clock.now() });
    },
    report,
    close() {
      clearInterval(timer);
      report();
    },
  };
}
