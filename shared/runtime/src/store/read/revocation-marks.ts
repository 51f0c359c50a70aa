import { sessions, tokens, users } from "@elara/contracts";
import { type Clock, timestamp } from "../../clock.ts";
import type { Page, Query, Store } from "../store.ts";
import { documentsOf } from "./documents-of.ts";

const sessionsIn = documentsOf(sessions);
const tokensIn = documentsOf(tokens);
const usersIn = documentsOf(users);

/** Marks of this long are read, so that a late one (slow write, clocks apart) is still seen. */
const WINDOW_MS = 30_000;
/** How often that is; in between from the newest mark on, so that a wave of log-outs is not read over and over. */
const WHOLE_EVERY_MS = 5000;
/** How far before the newest mark: later than this are only writers whose clocks are apart, and those wait for the window. */
const OVERLAP_MS = 5000;
/** After a longer pause some marks may have left the window unseen. */
const GAP_MS = 20_000;

/** What was revoked lately. */
export interface RevocationMarks {
  /** Digests of tokens and login cookies. */
  readonly credentials: readonly string[];
  /** User id → its `accessChangedAt`. */
  readonly users: ReadonlyMap<string, string>;
}

export interface MarksReading extends RevocationMarks {
  /** There may have been marks that no reading saw. */
  readonly missed: boolean;
}

/** Reads the marks set since the last reading, some of them again. Throws STORE_AWAY; the next reading makes up for it. */
export function marksReader({ store, clock }: { store: Store; clock: Clock }): () => Promise<MarksReading> {
  let wholeReadAt = Number.NEGATIVE_INFINITY;
  let isUnbroken = false;
  let newest = "";

  return async () => {
    const startedAt = clock.monotonic();
    const sinceWhole = startedAt - wholeReadAt;
    const isWhole = !isUnbroken || sinceWhole >= WHOLE_EVERY_MS;
    const now = clock.now();
    const windowStart = timestamp(now - WINDOW_MS);
    // A writer's clock far ahead must not hide the marks of the others.
    const newestMs = newest === "" ? Number.NEGATIVE_INFINITY : Math.min(Date.parse(newest), now);
    const from = isWhole ? windowStart : timestamp(Math.max(newestMs - OVERLAP_MS, now - WINDOW_MS));
    isUnbroken = false;
    const { times, ...marks } = await marksSince(store, from);
    isUnbroken = true;
    if (isWhole) wholeReadAt = startedAt;
    for (const time of times) if (time > newest) newest = time;
    return { ...marks, missed: sinceWhole > GAP_MS };
  };
}

/** Every mark set at or after this time, and when each was set. */
async function marksSince(store: Store, since: string): Promise<RevocationMarks & { times: string[] }> {
  const revoked = { where: { revokedAt: { gte: since } }, sort: { by: ["revokedAt"] } };
  const changed = { where: { accessChangedAt: { gte: since } }, sort: { by: ["accessChangedAt"] } };
  const [ofTokens, changedTokens, ofSessions, ofUsers] = await Promise.all([
    all(tokensIn(store), revoked),
    all(tokensIn(store), changed),
    all(sessionsIn(store), revoked),
    all(usersIn(store), changed),
  ]);
  const credentials = [...ofTokens, ...ofSessions];
  return {
    credentials: [...credentials, ...changedTokens].map(({ _id }) => _id),
    users: new Map(ofUsers.map((user) => [user._id, user.accessChangedAt])),
    times: [
      ...credentials.map(({ revokedAt }) => revokedAt),
      ...[...changedTokens, ...ofUsers].map(({ accessChangedAt }) => accessChangedAt),
    ],
  };
}

async function all<D>(documents: { find(query: Query): Promise<Page<D>> }, query: Query): Promise<D[]> {
  const found: D[] = [];
  let after: string | undefined;
  do {
    const page: Page<D> = await documents.find(after === undefined ? query : { ...query, after });
    found.push(...page.items);
    after = page.next;
  } while (after !== undefined);
  return found;
}
