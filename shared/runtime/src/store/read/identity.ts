import { codeOf, HubError } from "@elara/contracts";
import type { Logger } from "pino";
import { type Clock, timestamp } from "../../clock.ts";
import { digest } from "../../id.ts";
import { type GroupLookup, noGroups } from "../../scopes/filter.ts";
import type { Store } from "../store.ts";
import { identityCache } from "./identity-cache.ts";
import { identityLoader, type Loaded } from "./identity-load.ts";
import type { Identity } from "./identity-model.ts";
import { marksReader } from "./revocation-marks.ts";

export type { Identity } from "./identity-model.ts";

/** Identities by credential. Cached, but never behind a revocation that is older than about a second (five, where clocks are apart). */
export interface IdentityReader {
  /** undefined: unknown, expired or revoked, or the owner is gone. Throws STORE_AWAY when it cannot be known. */
  byToken(token: string): Promise<Identity | undefined>;
  /** The same for who knows only the digest of a token. */
  byTokenDigest(digest: string): Promise<Identity | undefined>;
  byCookie(loginCookieSecret: string): Promise<Identity | undefined>;
  /** Who the credential of this identity belongs to now. */
  again(identity: Pick<Identity, "via" | "credential">): Promise<Identity | undefined>;
  /** Drops cached identities by digest of their credential; the next request reads them anew. */
  forget(digests: readonly string[]): void;
  /** Reads the revocation marks now. Happens by itself every 400 ms. */
  refresh(): Promise<void>;
  close(): Promise<void>;
}

export interface IdentityReaderOptions {
  readonly store: Store;
  readonly clock: Clock;
  readonly log: Logger;
  /** How long an entry serves after it was last known to be good, while the store is away. */
  readonly storeAwayGraceMs?: number;
  /** 0: never by itself, only by `refresh()`. */
  readonly marksEveryMs?: number;
  readonly groups?: GroupLookup;
  /** Raw scopes of a service by its name, for tokens it has beside that of the configuration; without an entry they may do nothing. */
  readonly serviceScopes?: (name: string) => readonly string[];
}

/** Marks read longer ago say nothing about now: the entry is read anew. */
const MARKS_VALID_MS = 900;
/** An entry is read anew at this age however good the marks are. */
const MAX_AGE_MS = 60_000;

export function identityReader(options: IdentityReaderOptions): IdentityReader {
  const { store, clock, log, storeAwayGraceMs = 60_000, marksEveryMs = 400 } = options;
  const { groups = noGroups, serviceScopes = () => [] } = options;
  const loader = identityLoader({ store, clock, groups, serviceScopes });
  const cache = identityCache();
  const unseenMarks = marksReader({ store, clock });
  let marksReadAt = Number.NEGATIVE_INFINITY;
  let isAway = false;
  let timer: NodeJS.Timeout | undefined;
  let reading: Promise<void> | undefined;
  let isClosed = false;

  const find = async (
    key: string,
    load: () => Promise<Loaded | undefined>,
  ): Promise<Identity | undefined> => {
    const known = cache.get(key);
    const entry = known && !isOver(known) ? known : undefined;
    const now = clock.monotonic();
    if (entry && now - marksReadAt < MARKS_VALID_MS && now - entry.readAt < MAX_AGE_MS) return entry.identity;
    // While it is away only the reading of marks asks the store; requests do not each wait for its time-out.
    if (isAway) return fromMemory(entry);
    try {
      const loaded = await load();
      if (loaded) cache.set(key, { ...loaded, readAt: now });
      else cache.delete(key);
      return loaded?.identity;
    } catch (error) {
      if (codeOf(error) !== "STORE_AWAY") throw error;
      isAway = true;
      return fromMemory(entry);
    }
  };

  const isOver = ({ expiresAt }: Loaded): boolean => expiresAt !== "" && expiresAt <= timestamp(clock.now());

  const fromMemory = (entry: (Loaded & { readAt: number }) | undefined): Identity => {
    const knownGoodAt = Math.max(entry?.readAt ?? Number.NEGATIVE_INFINITY, marksReadAt);
    if (!entry || clock.monotonic() - knownGoodAt > storeAwayGraceMs) throw new HubError("STORE_AWAY");
    return { ...entry.identity, unconfirmed: true };
  };

  const readMarks = async (): Promise<void> => {
    const startedAt = clock.monotonic();
    const marks = await unseenMarks();
    if (marks.missed) cache.clear();
    else cache.drop(marks);
    marksReadAt = startedAt;
    if (isAway) log.info({}, "identities confirmed again");
    isAway = false;
  };

  const refresh = (): Promise<void> => {
    reading ??= readMarks().finally(() => {
      reading = undefined;
    });
    return reading;
  };

  const loop = async (): Promise<void> => {
    try {
      await refresh();
    } catch (error) {
      if (codeOf(error) !== "STORE_AWAY") log.error({ err: error }, "revocation marks not read");
      else if (!isAway) log.warn({ code: "STORE_AWAY" }, "revocation marks not read");
      isAway ||= codeOf(error) === "STORE_AWAY";
    }
    if (!isClosed) timer = setTimeout(() => void loop(), marksEveryMs).unref();
  };
  if (marksEveryMs > 0) void loop();

  const byTokenDigest = (credential: string): Promise<Identity | undefined> =>
    find(`token ${credential}`, () => loader.byToken(credential));

  const byCookieDigest = (credential: string): Promise<Identity | undefined> =>
    find(`cookie ${credential}`, () => loader.byCookie(credential));

  return {
    byToken: (token) => byTokenDigest(digest(token)),
    byTokenDigest,
    byCookie: (secret) => byCookieDigest(digest(secret)),
    again: ({ via, credential }) =>
      via === "token" ? byTokenDigest(credential) : byCookieDigest(credential),
    forget: (digests) => cache.drop({ credentials: digests, users: new Map() }),
    refresh,
    close: async () => {
      isClosed = true;
      clearTimeout(timer);
      await reading?.catch(() => undefined);
    },
  };
}
