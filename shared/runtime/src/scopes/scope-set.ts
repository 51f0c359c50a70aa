import {
  type Filter,
  filtersFor,
  type GroupLookup,
  narrower,
  noGroups,
  parseFilter,
  type Resource,
} from "./filter.ts";
import type { Scope } from "./hierarchy.ts";

/** What is held of one scope: all of it, or only for some resources. */
export type Grant = "all" | ReadonlySet<Filter>;

/** A set of scopes with everything they bring along; answers what may be done. Immutable. */
export class ScopeSet {
  readonly #grants: ReadonlyMap<Scope, Grant>;
  readonly #groups: GroupLookup;

  constructor(grants: ReadonlyMap<Scope, Grant>, groups: GroupLookup = noGroups) {
    this.#grants = grants;
    this.#groups = groups;
  }

  /** Every scope held, expanded and sorted, in JupyterHub's spelling: `read:users`, `access:servers!server=ada/`. */
  list(): string[] {
    const scopes: string[] = [];
    for (const [scope, grant] of this.#grants) {
      if (grant === "all") scopes.push(scope);
      else for (const filter of grant) scopes.push(`${scope}!${filter}`);
    }
    return scopes.sort();
  }

  /** Whether the scope is held for this resource. Without a resource: whether it is held unfiltered. */
  allows(scope: Scope, resource: Resource = {}): boolean {
    const grant = this.#grants.get(scope);
    if (grant === undefined) return false;
    return grant === "all" || filtersFor(resource, this.#groups).some((filter) => grant.has(filter));
  }

  /** Whether the scope is held at all, be it filtered. */
  has(scope: Scope): boolean {
    return this.#grants.has(scope);
  }

  /** For what the scope is held: all, or what these filters name; none where it is not held. */
  filtersOf(scope: Scope): Grant {
    return this.#grants.get(scope) ?? new Set();
  }

  /** For which users the scope is held: all, or these names (sorted). Filters on servers do not count. */
  usersOf(scope: Scope): "all" | string[] {
    const grant = this.#grants.get(scope);
    if (grant === "all") return "all";
    const users = new Set<string>();
    for (const filter of grant ?? []) {
      const parsed = parseFilter(filter);
      if (parsed?.kind === "user") users.add(parsed.value);
      if (parsed?.kind === "group") for (const user of this.#groups.membersOf(parsed.value)) users.add(user);
    }
    return [...users].sort();
  }

  /** What both hold; `!user=a` and `!server=a/x` have `!server=a/x` in common. */
  intersect(other: ScopeSet): ScopeSet {
    const grants = new Map<Scope, Grant>();
    for (const [scope, mine] of this.#grants) {
      const theirs = other.#grants.get(scope);
      const common = theirs === undefined ? undefined : this.#common(mine, theirs);
      if (common !== undefined) grants.set(scope, common);
    }
    return new ScopeSet(grants, this.#groups);
  }

  /** Entries of the other set (as in `list`) that this one does not cover: what a token must not be given. */
  missing(other: ScopeSet): string[] {
    const covered = new Set(other.intersect(this).list());
    return other.list().filter((scope) => !covered.has(scope));
  }

  #common(a: Grant, b: Grant): Grant | undefined {
    if (a === "all") return b;
    if (b === "all") return a;
    const filters = new Set<Filter>();
    for (const x of a)
      for (const y of b) {
        const filter = narrower(x, y, this.#groups);
        if (filter !== undefined) filters.add(filter);
      }
    return filters.size === 0 ? undefined : filters;
  }
}
