import { sessions, tokens, users } from "@elara/contracts";
import type { Page, Query, Store } from "../store.ts";
import { documentsOf } from "./documents-of.ts";

const sessionsIn = documentsOf(sessions);
const tokensIn = documentsOf(tokens);
const usersIn = documentsOf(users);

/** What was revoked lately. */
export interface RevocationMarks {
  /** Digests of tokens and login cookies. */
  readonly credentials: readonly string[];
  /** User id → its `accessChangedAt`. */
  readonly users: ReadonlyMap<string, string>;
}

/** Every mark set at or after this time. */
export async function revocationMarks(store: Store, since: string): Promise<RevocationMarks> {
  const revoked = { where: { revokedAt: { gte: since } }, sort: { by: ["revokedAt"] } };
  const changed = { where: { accessChangedAt: { gte: since } }, sort: { by: ["accessChangedAt"] } };
  const [ofTokens, ofSessions, ofUsers] = await Promise.all([
    all(tokensIn(store), revoked),
    all(sessionsIn(store), revoked),
    all(usersIn(store), changed),
  ]);
  return {
    credentials: [...ofTokens, ...ofSessions].map(({ _id }) => _id),
    users: new Map(ofUsers.map((user) => [user._id, user.accessChangedAt])),
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
