import { ServerChanged } from "@elara/contracts";
import type { Bus } from "@elara/runtime/bus/bus";
import { type Clock, timestamp } from "@elara/runtime/clock";
import type { InstanceRow } from "@elara/runtime/instances";
import { observe } from "@elara/runtime/metrics/meter";
import type { RouteReader, RouteRecord } from "@elara/runtime/store/read/routes";
import type { Logger } from "pino";
import type { RouteBook } from "./route-book.ts";

/** How far back a reading looks for changes: it bears so much difference between clocks. */
const WINDOW_MS = 30_000;
const EVERY_MS = 1000;
/** Notices within this time cause one reading. */
const GATHER_MS = 50;
/** Everything is read again so often, shorter than an address rests (120 s): what was deleted unseen goes then. */
const SWEEP_MS = 60_000;
const KINDS = ["server", "route"] as const;

export interface RouteRefresh {
  /** Resolves when every page was read once; never fails, it is tried until it succeeds. */
  readonly filled: Promise<void>;
  readonly isFilled: boolean;
  close(): void;
}

/**
 * Keeps the book up: fills it by pages, reads what changed each second, sooner on a notice, and says in the instance
 * row up to which change this proxy knows. With store or bus away the book stays as it is.
 */
export function startRouteRefresh(options: {
  readonly book: RouteBook;
  readonly reader: RouteReader;
  readonly bus: Bus;
  readonly row: Pick<InstanceRow, "set">;
  readonly clock: Clock;
  readonly log: Logger;
}): RouteRefresh {
  const { book, reader, bus, row, clock, log } = options;
  const filled = Promise.withResolvers<void>();
  let isFilled = false;
  let closed = false;
  let newest = "";
  let told = "";
  let away = false;
  const noticed = new Map<string, RouteRecord["kind"]>();

  const take = (record: RouteRecord): void => {
    book.apply(record);
    if (record.changedAt > newest) newest = record.changedAt;
  };

  async function sweep(): Promise<void> {
    const begun = clock.monotonic();
    for (const kind of KINDS) {
      const named = new Set<string>();
      let after: string | undefined;
      do {
        const page = await reader.page(kind, after);
        for (const record of page.items) {
          named.add(record.id);
          take(record);
        }
        after = page.next;
      } while (after !== undefined && !closed);
      if (closed) return;
      book.dropUnnamed(kind, named, begun);
    }
    observe("check_routes_duration_seconds", (clock.monotonic() - begun) / 1000);
    if (isFilled) return;
    isFilled = true;
    filled.resolve();
    log.info({ routes: book.size }, "route table filled");
  }

  async function readChanges(): Promise<void> {
    const begun = clock.monotonic();
    const ids = [...noticed.keys()];
    noticed.clear();
    const records = await reader.changedSince(timestamp(clock.now() - WINDOW_MS));
    const named = new Set(records.map(({ id }) => id));
    for (const record of records) take(record);
    // Noticed, known here, and not among the changed: gone, or its clock is far off.
    for (const id of ids) {
      const entry = book.entryOf(id);
      if (entry && !named.has(id)) await book.reread(entry);
    }
    book.refreshedAt(begun);
    observe("proxy_poll_duration_seconds", (clock.monotonic() - begun) / 1000);
  }

  async function tell(): Promise<void> {
    if (!isFilled || newest === told) return;
    const upTo = newest;
    await row.set({ routesUpTo: upTo });
    told = upTo;
  }

  let timer: NodeJS.Timeout | undefined;
  let dueAt = Number.POSITIVE_INFINITY;
  let ranAt = Number.NEGATIVE_INFINITY;
  let isRunning = false;
  let isWanted = false;

  async function run(): Promise<void> {
    isRunning = true;
    isWanted = false;
    dueAt = Number.POSITIVE_INFINITY;
    try {
      await readChanges();
      await tell();
      if (away) log.info({}, "route table is kept up again");
      away = false;
    } catch (error) {
      if (!away) log.warn({ err: error }, "route table is not kept up: known routes go on");
      away = true;
    }
    ranAt = clock.monotonic();
    isRunning = false;
    schedule(isWanted ? GATHER_MS : EVERY_MS);
  }

  /** The earliest wish counts. */
  function schedule(ms: number): void {
    const at = clock.monotonic() + ms;
    if (closed || at >= dueAt) return;
    dueAt = at;
    clearTimeout(timer);
    timer = setTimeout(() => void run(), ms);
    timer.unref();
  }

  function hasten(): void {
    if (isRunning) isWanted = true;
    else schedule(Math.max(0, ranAt + GATHER_MS - clock.monotonic()));
  }

  let sweepTimer: NodeJS.Timeout | undefined;
  async function sweepOn(): Promise<void> {
    let nextMs = SWEEP_MS;
    try {
      await sweep();
      await tell();
    } catch (error) {
      log.warn({ err: error }, "routes could not be read; trying again");
      nextMs = EVERY_MS;
    }
    if (closed) return;
    sweepTimer = setTimeout(() => void sweepOn(), nextMs);
    sweepTimer.unref();
  }

  const subscription = bus.subscribe(
    ServerChanged,
    ({ serverId }) => {
      noticed.set(serverId, "server");
      hasten();
    },
    { lagged: hasten },
  );
  const offChange = bus.onChange((connected) => {
    if (connected) hasten();
  });
  void run();
  void sweepOn();

  return {
    filled: filled.promise,
    get isFilled() {
      return isFilled;
    },
    close() {
      closed = true;
      clearTimeout(timer);
      clearTimeout(sweepTimer);
      offChange();
      void subscription.close();
    },
  };
}
