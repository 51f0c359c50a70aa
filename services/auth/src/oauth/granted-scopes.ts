import type { OAuthClient } from "@elara/contracts";
import { expandScopes, unknownScopes } from "@elara/runtime/scopes/expand";
import { type DefaultRole, roleScopes } from "@elara/runtime/scopes/roles";
import type { ScopeSet } from "@elara/runtime/scopes/scope-set";
import type { Identity } from "@elara/runtime/store/read/identity";

/** Every client may learn whom it deals with. */
const IDENTIFY_SCOPES: readonly string[] = ["read:users:name!user", "read:users:groups!user"];

const ROLES: Readonly<Record<string, DefaultRole>> = {
  user: "user",
  admin: "admin",
  server: "server",
  token: "token",
};

/** Whether the client gets it in any case: who the user is, and its own access. */
export const isNeeded = (scope: string, client: OAuthClient): boolean =>
  scope === client.accessScope || IDENTIFY_SCOPES.includes(scope);

type Who = Pick<Identity, "name" | "scopes">;

/** Scopes as they mean something for this user and client. */
const expanded = (scopes: readonly string[], who: Who, client: OAuthClient): ScopeSet =>
  expandScopes(scopes, {
    kind: "user",
    name: who.name,
    ...(client._id.startsWith("service-") ? { service: client._id.slice("service-".length) } : {}),
  });

/** Whether the user may open what the client stands for. */
export const mayAccess = (who: Who, client: OAuthClient): boolean =>
  who.scopes.missing(expanded([client.accessScope], who, client)).length === 0;

/**
 * The raw scopes a client gets: what it asks for (default: all it may have), identify and access scopes added, without
 * those of which the user holds nothing. undefined: it asks for more than it may have.
 */
export function grantedScopes(asked: readonly string[], who: Who, client: OAuthClient): string[] | undefined {
  const own = [...IDENTIFY_SCOPES, client.accessScope];
  const wanted =
    asked.length > 0 && asked.every((name) => Object.hasOwn(ROLES, name))
      ? asked.flatMap((name) => roleScopes(ROLES[name] ?? "user"))
      : asked.filter((scope) => scope !== "identify");
  const all = [...new Set([...own, ...(wanted.length === 0 ? client.allowedScopes : wanted)])];
  if (unknownScopes(all).length > 0) return undefined;
  const allowed = expanded([...own, ...client.allowedScopes], who, client);
  if (allowed.missing(expanded(all, who, client)).length > 0) return undefined;
  return all.filter(
    (scope) => own.includes(scope) || expanded([scope], who, client).intersect(who.scopes).list().length > 0,
  );
}
