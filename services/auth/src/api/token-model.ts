import type { Token, User } from "@elara/contracts";
import { expandScopes, tokenScopes } from "@elara/runtime/scopes/expand";
import { roleScopes, rolesOf } from "@elara/runtime/scopes/roles";
import type { ScopeSet } from "@elara/runtime/scopes/scope-set";

type Person = Pick<User, "name" | "admin">;

/** What a user may do. */
export const heldBy = (user: Person): ScopeSet =>
  expandScopes(rolesOf(user).flatMap(roleScopes), { kind: "user", name: user.name });

/** What a token with these raw scopes may do now. */
export const reachOf = (scopes: readonly string[], user: Person): ScopeSet =>
  tokenScopes(scopes, { kind: "user", name: user.name }, heldBy(user));

/** JupyterHub's token model (contract §1.5). */
export const tokenModel = (
  token: Token,
  user: Person,
  { lastUsed, client }: { lastUsed: string; client: string },
) => ({
  user: user.name,
  id: token.publicId,
  kind: "api_token",
  roles: [],
  scopes: reachOf(token.scopes, user).list(),
  created: apiTime(token.createdAt),
  last_activity: apiTime(lastUsed),
  expires_at: apiTime(token.expiresAt),
  note: token.note,
  session_id: token.sessionId || null,
  oauth_client: client,
});
export type TokenModel = ReturnType<typeof tokenModel>;

/** A document's time as JupyterHub writes it: microseconds unless they are zero, null for none. */
function apiTime(time: string): string | null {
  if (time === "") return null;
  return time.endsWith(".000Z") ? `${time.slice(0, -5)}Z` : `${time.slice(0, -1)}000Z`;
}
