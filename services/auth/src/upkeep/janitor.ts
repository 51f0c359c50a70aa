import { timestamp } from "@elara/runtime/clock";
import type { Filter, Page, Query } from "@elara/runtime/store/store";
import type { Ground } from "../ground.ts";
import type { KeptLogins } from "../kept/kept-logins.ts";
import type { SessionBook } from "../people/session-book.ts";
import type { TokenBook } from "../people/token-book.ts";

const EPOCH = timestamp(0);
/** Revocation marks of the last 30 s are read by others, so what is revoked stays longer than that. */
const MARK_MS = 10 * 60_000;
/** More than a round of upkeep. */
const SOON_MS = 2 * 60_000;
const DAY_MS = 86_400_000;
const AT_ONCE = 200;

/** Takes away what is over: expired and revoked credentials, spent codes, old throttles, tombstones after a day. Safe in every replica. */
export async function tidy(
  { records, clock }: Ground,
  { sessions, tokens, kept }: { sessions: SessionBook; tokens: TokenBook; kept: KeptLogins },
): Promise<void> {
  const before = (ms: number) => ({ gte: EPOCH, lt: timestamp(clock.now() - ms) });
  await tokens.expire();
  await sessions.expire();
  // Soon after a log-out that was cut off, and once more before its mark goes.
  await sessions.endLeftOvers({ revokedAt: { gte: timestamp(clock.now() - SOON_MS) } });
  await sessions.endLeftOvers({ revokedAt: before(MARK_MS) });
  await removeAll(records.tokens, { revokedAt: before(MARK_MS), pendingSince: "" });
  await removeAll(records.sessions, { revokedAt: before(MARK_MS) }, isOut);
  await removeAll(records.codes, { expiresAt: before(MARK_MS) });
  await removeAll(records.loginAttempts, { expiresAt: before(MARK_MS) });
  await kept.renew();
  await removeAll(records.throttles, { expiresAt: before(0) });
  await removeAll(records.users, {
    deletingAt: before(DAY_MS),
    deletedAt: before(DAY_MS),
    pendingSince: "",
  });
}

interface Removable<D> {
  find(query: Query): Promise<Page<D>>;
  delete(id: string, rev: number): Promise<boolean>;
}

/** Nothing of it waits to be told. Documents of an earlier version have no outbox. */
const isOut = ({ pendingSince }: { pendingSince?: string }): boolean => !pendingSince;

async function removeAll<D extends { readonly _id: string; readonly rev: number }>(
  documents: Removable<D>,
  where: Filter,
  only: (doc: D) => boolean = () => true,
): Promise<void> {
  for (;;) {
    const { items } = await documents.find({ where, limit: AT_ONCE });
    let removed = 0;
    for (const item of items.filter(only)) if (await documents.delete(item._id, item.rev)) removed += 1;
    if (items.length < AT_ONCE || removed === 0) return;
  }
}
