import { ActivitySeen, type LastTimes } from "@elara/contracts";
import type { Bus } from "@elara/runtime/bus/bus";
import { type Clock, timestamp } from "@elara/runtime/clock";
import { mergeTimes } from "@elara/runtime/last-times";
import type { RecentActivity } from "@elara/runtime/recent-activity";

const SEND_MS = 1000;
/** Entries of one notice (contract of `activity.seen`). */
const MAX_ENTRIES = 500;

interface Seen {
  readonly userId: string;
  readonly key: string;
  last: LastTimes;
}

/** Activity that passed through the API: folded by maximum, sent to spawn each second, kept while the bus is away. */
export class ActivityFold {
  readonly #bus: Bus;
  readonly #clock: Clock;
  readonly #recent: RecentActivity;
  readonly #outgoing = new Map<string, Seen>();
  readonly #usedAt = new Map<string, number>();
  readonly #timer: NodeJS.Timeout;

  constructor(bus: Bus, clock: Clock) {
    this.#bus = bus;
    this.#clock = clock;
    this.#subscription = bus.subscribe(ActivitySeen, ({ entries }) => {
      for (const entry of entries) this.#remember(entry.key, entry.last);
    });
    this.#timer = setInterval(() => this.send(), SEND_MS);
    this.#timer.unref();
  }

  /** Notes last times of a user's key (`u:`, `s:`, `t:` and id). Never fails. */
  note(userId: string, key: string, last: LastTimes): void {
    const waiting = this.#outgoing.get(key);
    if (waiting) waiting.last = mergeTimes(waiting.last, last) ?? waiting.last;
    else this.#outgoing.set(key, { userId, key, last });
    this.#remember(key, last);
  }

  /** Notes use of a credential now, at most every 30 s for one key. */
  noteUse(userId: string, key: string): void {
    const known = this.#recent.get(key)?.last.use;
    const now = this.#clock.now();
    if (known !== undefined && now - Date.parse(known) < 30_000) return;
    this.note(userId, key, { use: timestamp(now) });
  }

  /** What was reported lately for this key, laid over what the store has. */
  over(key: string, stored: LastTimes | undefined): LastTimes | undefined {
    const recent = this.#recent.get(key);
    return recent ? (mergeTimes(stored, recent.last) ?? stored) : stored;
  }

  /** Sends what waits; what cannot be sent stays. */
  send(): void {
    this.#forgetOld();
    if (!this.#bus.connected || this.#outgoing.size === 0) return;
    const waiting = [...this.#outgoing.values()];
    this.#outgoing.clear();
    for (let start = 0; start < waiting.length; start += MAX_ENTRIES)
      this.#bus.notify(ActivitySeen, { entries: waiting.slice(start, start + MAX_ENTRIES) }, {});
  }

  async close(): Promise<void> {
    clearInterval(this.#timer);
    this.send();
    await this.#subscription.close();
  }

  #remember(key: string, last: LastTimes): void {
    const known = this.#recent.get(key);
    this.#recent.delete(key);
    this.#recent.set(key, {
      last: mergeTimes(known?.last, last) ?? known?.last ?? last,
      at: this.#clock.now(),
    });
  }

  #forgetOld(): void {
    const oldest = this.#clock.now() - SHOW_MS;
    for (const [key, { at }] of this.#recent) {
      if (at > oldest) return;
      this.#recent.delete(key);
    }
  }
}
