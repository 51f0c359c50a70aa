import { ActivitySeen, type LastTimes } from "@elara/contracts";
import type { Bus } from "@elara/runtime/bus/bus";
import { type Clock, timestamp } from "@elara/runtime/clock";
import { mergeTimes } from "@elara/runtime/last-times";
import { type RecentActivity, recentActivity } from "@elara/runtime/recent-activity";

const SEND_MS = 1000;
/** Entries of one notice (contract of `activity.seen`). */
const MAX_ENTRIES = 500;

interface Seen {
  readonly userId: string;
  readonly key: string;
  last: LastTimes;
}

/**
 * Activity that passed through the API: folded by maximum, sent to spawn each second, kept while the bus is away.
 * What was seen lately is laid over what is read, so that a read right after a report shows it.
 */
export class ActivityFold {
  readonly #bus: Bus;
  readonly #clock: Clock;
  readonly #recent: RecentActivity;
  readonly #outgoing = new Map<string, Seen>();
  readonly #timer: NodeJS.Timeout;

  constructor(bus: Bus, clock: Clock) {
    this.#bus = bus;
    this.#clock = clock;
    this.#recent = recentActivity(bus, clock);
    this.#timer = setInterval(() => this.send(), SEND_MS);
    this.#timer.unref();
  }

  /** Notes last times of a user's key (`u:`, `s:`, `t:` and id). Never fails. */
  note(userId: string, key: string, last: LastTimes): void {
    const waiting = this.#outgoing.get(key);
    if (waiting) waiting.last = mergeTimes(waiting.last, last) ?? waiting.last;
    else this.#outgoing.set(key, { userId, key, last });
    this.#recent.remember(key, last);
  }

  /** Notes use of a credential now, at most every 30 s for one key. */
  noteUse(userId: string, key: string): void {
    const known = this.over(key, undefined)?.use;
    const now = this.#clock.now();
    if (known !== undefined && now - Date.parse(known) < 30_000) return;
    this.note(userId, key, { use: timestamp(now) });
  }

  /** What was reported lately for this key, laid over what the store has. */
  over(key: string, stored: LastTimes | undefined): LastTimes | undefined {
    return this.#recent.over(key, stored);
  }

  /** Sends what waits; what cannot be sent stays. */
  send(): void {
    if (!this.#bus.connected || this.#outgoing.size === 0) return;
    const waiting = [...this.#outgoing.values()];
    this.#outgoing.clear();
    for (let start = 0; start < waiting.length; start += MAX_ENTRIES)
      this.#bus.notify(ActivitySeen, { entries: waiting.slice(start, start + MAX_ENTRIES) }, {});
  }

  async close(): Promise<void> {
    clearInterval(this.#timer);
    this.send();
    await this.#recent.close();
  }
}
