import { timestamp } from "@elara/runtime/clock";
import type { Filter, Page, Query } from "@elara/runtime/store/store";
import type { Ground } from "../ground.ts";
import type { TokenBook } from "../people/token-book.ts";

const EPOCH = timestamp(0);
/** Revocation marks of the last 30 s are read by others, so what is revoked stays longer than that. */
const MARK_MS = 10 * 60_000;
const DAY_MS = 86_400_000;
const AT_ONCE = 200;

/** Takes away what is over: expired and revoked credentials, spent codes, old throttles, tombstones after a day. Safe in every replica. */
export async function tidy({ records, clock }: Ground, tokens: TokenBook): Promise<void> {
  const before = (ms: number) => ({ gte: EPOCH, lt: timestamp(clock.now() - ms) });
  await tokens.revokeWhere({ expiresAt: before(0) }, "system:auth");
  await removeAll(records.tokens, { revokedAt: before(MARK_MS), pendingSince: "" });
  await removeAll(records.sessions, { revokedAt: before(MARK_MS) });
  await removeAll(records.sessions, { expiresAt: before(MARK_MS) });
  await removeAll(records.codes, { expiresAt: before(MARK_MS) });
  await removeAll(records.throttles, { expiresAt: before(0) });
  await removeAll(records.users, {
    deletingAt: before(DAY_MS),
    deletedAt: before(DAY_MS),
    pendingSince: "",
  });
}

interface Removable {
  find(query: Query): Promise<Page<{ readonly _id: string; readonly rev: number }>>;
  delete(id: string, rev: number): Promise<boolean>;
}

async function removeAll(documents: Removable, where: Filter): Promise<void> {
  for (;;) {
    const { items } = await documents.find({ where, limit: AT_ONCE });
    let removed = 0;
    for (const item of items) if (await documents.delete(item._id, item.rev)) removed += 1;
    if (items.length < AT_ONCE || removed === 0) return;
  }
}
