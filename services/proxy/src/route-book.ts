import type { ServiceName } from "@elara/contracts";
import type { Clock } from "@elara/runtime/clock";
import { parseTarget, type Target } from "@elara/runtime/http/upstreams-target";
import type { RouteReader, RouteRecord } from "@elara/runtime/store/read/routes";
import type { Logger } from "pino";
import { candidates } from "./candidates.ts";
import { prefixes } from "./prefixes.ts";
import { singleFlight } from "./single-flight.ts";
import { pathTable } from "./table.ts";

/** A route to a server, or to something else that is no service of the hub. */
export interface RouteEntry {
  readonly kind: RouteRecord["kind"];
  readonly id: string;
  readonly path: string;
  readonly userId: string;
  readonly url: string;
  readonly target: Target;
  changedAt: string;
  /** When the store last said so, on the monotonic clock. */
  knownAt: number;
}

export type Destination = { readonly kind: "service"; readonly service: ServiceName } | RouteEntry;

/** Told of every route that came or went. */
export type RouteListener = (entry: RouteEntry, what: "added" | "removed") => void;

/**
 * What this proxy knows of the routes: a read model of the store, in memory. The hub's own prefixes stand in it and
 * cannot be taken by a route.
 */
export interface RouteBook {
  /** Where the path leads, by what is known now. */
  find(path: string): Destination | undefined;
  /** Takes over what the store says of one path. */
  apply(record: RouteRecord): void;
  /** Reads the path anew after a miss; a "no" counts for 1 s unless `fresh`. One read for all who ask at once. */
  lookUp(path: string, options: { fresh: boolean }): Promise<RouteEntry | undefined>;
  /** Reads one entry anew: as it is now, undefined when it is gone. Throws STORE_AWAY. */
  reread(entry: RouteEntry): Promise<RouteEntry | undefined>;
  /** The entry when it may be used; one not confirmed for 10 s is read anew first, and kept when nobody answers. */
  confirmed(entry: RouteEntry): RouteEntry | Promise<RouteEntry | undefined>;
  /** All is as fresh as the reading that began at this moment (monotonic). */
  refreshedAt(moment: number): void;
  /** Drops entries of a kind that a complete reading, begun at this moment, did not name. */
  dropUnnamed(kind: RouteRecord["kind"], named: ReadonlySet<string>, moment: number): void;
  entryOf(id: string): RouteEntry | undefined;
  readonly size: number;
}

const NO_COUNTS_MS = 1000;
const STALE_MS = 10_000;
/** A stale entry waits for the store no longer than this, and no two such waits follow each other closer than that. */
const ASK_WAIT_MS = 300;
const ASK_AGAIN_MS = 2000;
/** Bounds of what is remembered about paths and routes that are not there. */
const MAX_NOES = 10_000;
const MAX_GONE = 10_000;

export function routeBook(options: {
  readonly reader: RouteReader;
  readonly baseUrl: string;
  readonly clock: Clock;
  readonly log: Logger;
  readonly listener: RouteListener;
}): RouteBook {
  const { reader, baseUrl, clock, log, listener } = options;
  const table = pathTable<Destination>();
  const byId = new Map<string, RouteEntry>();
  const noes = new Map<string, number>();
  // Routes that went, with the change that took them: a page read before that must not bring them back.
  const gone = new Map<string, string>();
  const flight = singleFlight<RouteEntry | undefined>();
  let freshAt = Number.NEGATIVE_INFINITY;
  let askAgainAt = Number.NEGATIVE_INFINITY;
  for (const { path, service } of prefixes) table.set(baseUrl + path, { kind: "service", service });

  function remove(entry: RouteEntry, changedAt = entry.changedAt): void {
    byId.delete(entry.id);
    gone.delete(entry.id);
    gone.set(entry.id, changedAt);
    const [oldest] = gone.keys();
    if (oldest !== undefined && gone.size > MAX_GONE) gone.delete(oldest);
    if (table.get(entry.path) !== entry) return;
    table.delete(entry.path);
    listener(entry, "removed");
  }

  function apply(record: RouteRecord): void {
    const known = byId.get(record.id);
    if (record.changedAt < (known?.changedAt ?? "")) return;
    if (!known && record.changedAt <= (gone.get(record.id) ?? "")) return;
    const target = parseTarget(record.url);
    if (!target) {
      if (record.url !== "") log.warn({ path: record.path, url: record.url }, "route leads nowhere");
      if (known) remove(known, record.changedAt);
      return;
    }
    if (known?.path === record.path && known.url === record.url) {
      known.changedAt = record.changedAt;
      known.knownAt = clock.monotonic();
      return;
    }
    const standing = table.find(record.path);
    if (standing?.kind === "service") {
      log.warn({ path: record.path, url: record.url }, "route below the hub's own paths ignored");
      return;
    }
    const entry: RouteEntry = { ...record, target, knownAt: clock.monotonic() };
    if (known && known.path !== entry.path) remove(known);
    byId.set(entry.id, entry);
    table.set(entry.path, entry);
    gone.delete(entry.id);
    listener(entry, "added");
  }

  const found = (path: string): RouteEntry | undefined => {
    const destination = table.find(path);
    return destination?.kind === "service" ? undefined : destination;
  };

  const reread = (entry: RouteEntry): Promise<RouteEntry | undefined> =>
    flight(`again ${entry.path}`, async () => {
      const records = await reader.byPaths([entry.path]);
      for (const record of records) apply(record);
      const known = byId.get(entry.id);
      if (known && !records.some(({ id }) => id === entry.id)) remove(known);
      return found(entry.path);
    });

  async function ask(entry: RouteEntry): Promise<RouteEntry | undefined> {
    let timer: NodeJS.Timeout | undefined;
    const noAnswer = new Promise<"away">((done) => {
      timer = setTimeout(() => done("away"), ASK_WAIT_MS);
    });
    const answer = await Promise.race([reread(entry).catch(() => "away" as const), noAnswer]);
    clearTimeout(timer);
    if (answer !== "away") return answer;
    askAgainAt = clock.monotonic() + ASK_AGAIN_MS;
    return entry;
  }

  return {
    find: (path) => table.find(path),
    apply,
    reread,
    async lookUp(path, { fresh }) {
      const paths = candidates(path, baseUrl);
      const key = paths.join(" ");
      if (key === "" || (!fresh && clock.monotonic() < (noes.get(key) ?? 0))) return undefined;
      return flight(key, async () => {
        for (const record of await reader.byPaths(paths)) apply(record);
        const entry = found(path);
        if (!entry) {
          if (noes.size >= MAX_NOES) noes.clear();
          noes.set(key, clock.monotonic() + NO_COUNTS_MS);
        }
        return entry;
      });
    },
    confirmed(entry) {
      const now = clock.monotonic();
      const isFresh = now - Math.max(freshAt, entry.knownAt) <= STALE_MS;
      return isFresh || now < askAgainAt ? entry : ask(entry);
    },
    refreshedAt(moment) {
      freshAt = moment;
    },
    dropUnnamed(kind, named, moment) {
      for (const entry of byId.values())
        if (entry.kind === kind && entry.knownAt < moment && !named.has(entry.id)) remove(entry);
    },
    entryOf: (id) => byId.get(id),
    get size() {
      return byId.size;
    },
  };
}
