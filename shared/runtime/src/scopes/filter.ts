/** What is asked for: a user, one of their servers ("" is the default one), a group or a service. Names, not ids. */
export interface Resource {
  readonly user?: string;
  readonly server?: string;
  readonly group?: string;
  readonly service?: string;
}

/** Who is in which group; asked at every check, never cached in a scope set. */
export interface GroupLookup {
  groupsOf(user: string): readonly string[];
  membersOf(group: string): readonly string[];
}

/** The lookup of a hub without groups. */
export const noGroups: GroupLookup = { groupsOf: () => [], membersOf: () => [] };

/** A filter as it stands behind the `!` of a scope: `user=ada`, `server=ada/lab2`, `group=staff`, `service=cull`. */
export type Filter = string;

/** Kind and value of a filter; undefined when it is none. */
export function parseFilter(
  filter: Filter,
): { kind: "user" | "server" | "group" | "service"; value: string } | undefined {
  const at = filter.indexOf("=");
  const kind = filter.slice(0, at);
  const value = filter.slice(at + 1);
  if (at < 0 || value === "") return undefined;
  if (kind === "user" || kind === "group" || kind === "service") return { kind, value };
  return kind === "server" && value.includes("/") ? { kind, value } : undefined;
}

const ownerOf = (server: string): string => server.slice(0, server.indexOf("/"));

/** The filters of which at least one must be held for this resource. */
export function filtersFor(resource: Resource, groups: GroupLookup): Filter[] {
  const filters: Filter[] = [];
  if (resource.user !== undefined) {
    filters.push(`user=${resource.user}`);
    if (resource.server !== undefined) filters.push(`server=${resource.user}/${resource.server}`);
    for (const group of groups.groupsOf(resource.user)) filters.push(`group=${group}`);
  }
  if (resource.group !== undefined) filters.push(`group=${resource.group}`);
  if (resource.service !== undefined) filters.push(`service=${resource.service}`);
  return filters;
}

/** The narrower of two filters where one lies within the other; undefined when they have nothing in common. */
export function narrower(a: Filter, b: Filter, groups: GroupLookup): Filter | undefined {
  if (a === b) return a;
  return within(a, b, groups) ? a : within(b, a, groups) ? b : undefined;
}

function within(inner: Filter, outer: Filter, groups: GroupLookup): boolean {
  const [small, large] = [parseFilter(inner), parseFilter(outer)];
  if (!small || !large) return false;
  const user =
    small.kind === "server" ? ownerOf(small.value) : small.kind === "user" ? small.value : undefined;
  if (user === undefined) return false;
  if (large.kind === "user") return small.kind === "server" && user === large.value;
  // Two groups may share members, but that has no filter of its own: nothing in common is the safe answer.
  return large.kind === "group" && groups.groupsOf(user).includes(large.value);
}
