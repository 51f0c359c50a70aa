import { type Filter, type GroupLookup, noGroups, parseFilter } from "./filter.ts";
import { isScope, type Scope, withSubscopes } from "./hierarchy.ts";
import { type Grant, ScopeSet } from "./scope-set.ts";

/** Who holds the scopes: resolves `!user`, `!server`, `!service` and `self`. */
export interface ScopeOwner {
  readonly kind: "user" | "service";
  readonly name: string;
  /** The server (`ada/`, `ada/lab2`) the token belongs to or that asked for it. */
  readonly server?: string;
  /** The service that asked for the token. */
  readonly service?: string;
}

const SELF: readonly Scope[] = [
  "read:users",
  "users:shares",
  "read:shares",
  "users:activity",
  "servers",
  "tokens",
  "access:servers",
];
/** Names that stand in lists of scopes and grant nothing by themselves. */
const METASCOPES = new Set(["self", "inherit", "(no_scope)", "identify"]);
/** Every token may learn its owner's name and groups. */
const IDENTIFY = ["read:users:name!user", "read:users:groups!user"];

/** Scopes with everything they bring along. Unknown ones and filters that cannot be resolved grant nothing. */
export function expandScopes(
  raw: readonly string[],
  owner: ScopeOwner,
  groups: GroupLookup = noGroups,
): ScopeSet {
  const grants = new Map<Scope, Grant>();
  for (const text of raw) {
    if (text === "self") {
      if (owner.kind === "user") for (const scope of SELF) add(grants, scope, `user=${owner.name}`);
      continue;
    }
    const parsed = parseScope(text, owner);
    if (parsed) add(grants, parsed.scope, parsed.filter);
  }
  return new ScopeSet(grants, groups);
}

/**
 * What a token may do now: `inherit` is exactly what its owner may; anything else is cut down to that, so that a right
 * taken from a user weakens their old tokens at once.
 */
export function tokenScopes(
  raw: readonly string[],
  owner: ScopeOwner,
  held: ScopeSet,
  groups: GroupLookup = noGroups,
): ScopeSet {
  if (raw.includes("inherit")) return held;
  return expandScopes([...raw, ...IDENTIFY], owner, groups).intersect(held);
}

/** Those of the raw scopes that are no scopes at all, or carry a malformed filter. */
export const unknownScopes = (raw: readonly string[]): string[] =>
  raw.filter((text) => {
    if (METASCOPES.has(text)) return false;
    const [name = "", filter] = split(text);
    if (!isScope(name)) return true;
    return filter !== undefined && !["user", "server", "service"].includes(filter) && !parseFilter(filter);
  });

function split(text: string): [string, string | undefined] {
  const at = text.indexOf("!");
  return at < 0 ? [text, undefined] : [text.slice(0, at), text.slice(at + 1)];
}

function parseScope(text: string, owner: ScopeOwner): { scope: Scope; filter?: Filter } | undefined {
  const [scope, filter] = split(text);
  if (!isScope(scope)) return undefined;
  if (filter === undefined) return { scope };
  const resolved = resolve(filter, owner);
  return resolved === undefined ? undefined : { scope, filter: resolved };
}

function resolve(filter: Filter, owner: ScopeOwner): Filter | undefined {
  if (filter === "user") return owner.kind === "user" ? `user=${owner.name}` : undefined;
  if (filter === "server") return owner.server === undefined ? undefined : `server=${owner.server}`;
  if (filter === "service") {
    const service = owner.service ?? (owner.kind === "service" ? owner.name : undefined);
    return service === undefined ? undefined : `service=${service}`;
  }
  return parseFilter(filter) ? filter : undefined;
}

function add(grants: Map<Scope, Grant>, scope: Scope, filter?: Filter): void {
  for (const each of withSubscopes(scope)) {
    const grant = grants.get(each);
    if (filter === undefined) grants.set(each, "all");
    else if (grant !== "all") {
      // A filter on a server says nothing about its owner as a user.
      if (each !== scope && filter.startsWith("server=") && each.startsWith("read:user")) continue;
      grants.set(each, new Set([...(grant ?? []), filter]));
    }
  }
}
