import { HubError } from "@elara/contracts";
import type { PublishedUser } from "@elara/runtime/store/read/users";
import { userLastActivity } from "../models/user-model.ts";
import type { Reads } from "../reads.ts";
import { badRequest } from "./body.ts";

export type UserState = "active" | "ready" | "inactive";
export type UserSort = "id" | "name" | "last_activity";

/** Which users, in which order. */
export interface UserQuery {
  readonly state: UserState | undefined;
  readonly nameFilter: string;
  readonly sort: UserSort;
  readonly desc: boolean;
  readonly offset: number;
  readonly limit: number;
  /** Users the caller may list. */
  readonly visible: "all" | readonly string[];
}

/** Reads state, sort and name_filter of a list request. Throws 400 in JupyterHub's words. */
export function readUserQuery(
  query: Readonly<Record<string, string | undefined>>,
): Pick<UserQuery, "state" | "sort" | "desc" | "nameFilter"> {
  const given = query.sort ?? "id";
  const sort = given.replace(/^-/, "");
  if (sort !== "id" && sort !== "name" && sort !== "last_activity")
    throw badRequest(`sort must be 'id', 'name', or 'last_activity', not '${given}'`);
  const state = query.state || undefined;
  if (state !== undefined && state !== "active" && state !== "ready" && state !== "inactive")
    throw badRequest(`Unrecognized state filter: '${state}'`);
  return { sort, desc: given.startsWith("-"), state, nameFilter: query.name_filter ?? "" };
}

export interface UserSlice {
  readonly users: PublishedUser[];
  readonly total: number;
}

/**
 * The users of one page. The plain list is one page of an index. Active users are found by their servers. Only what no
 * index serves reads past all users: `inactive`, sorting by activity, and a name filter.
 */
export async function listUsers(reads: Reads, query: UserQuery): Promise<UserSlice> {
  const { visible, state, sort } = query;
  if (Array.isArray(visible) && visible.length === 0) throw new HubError("SCOPE_MISSING");
  if (visible === "all" && state === undefined && sort !== "last_activity") return plainPage(reads, query);
  const candidates = await candidatesOf(reads, query);
  const wanted = query.nameFilter.toLowerCase();
  const matching = candidates.filter((user) => user.name.toLowerCase().includes(wanted));
  const users = await sorted(reads, matching, query);
  return { users: users.slice(query.offset, query.offset + query.limit), total: users.length };
}

async function plainPage(
  reads: Reads,
  { sort, desc, offset, limit, nameFilter }: UserQuery,
): Promise<UserSlice> {
  const page = await reads.usersPage({
    sort: sort === "name" ? "name" : "created",
    desc,
    offset,
    limit,
    ...(nameFilter === "" ? {} : { nameContains: nameFilter }),
  });
  return { users: page.items, total: page.total };
}

async function candidatesOf(reads: Reads, { visible, state }: UserQuery): Promise<PublishedUser[]> {
  if (state === undefined) return visible === "all" ? everyUser(reads) : reads.usersByNames(visible);
  const active = await activeUserIds(reads);
  const isVisible = (user: PublishedUser): boolean => visible === "all" || visible.includes(user.name);
  if (state !== "inactive") return (await reads.usersByIds([...active])).filter(isVisible);
  const users = visible === "all" ? await everyUser(reads) : await reads.usersByNames(visible);
  return users.filter((user) => !active.has(user._id));
}

async function activeUserIds(reads: Reads): Promise<Set<string>> {
  const ids = new Set<string>();
  let after: string | undefined;
  do {
    const page = await reads.activePage(after);
    for (const server of page.items) ids.add(server.userId);
    after = page.next;
  } while (after !== undefined);
  return ids;
}

async function everyUser(reads: Reads): Promise<PublishedUser[]> {
  const users: PublishedUser[] = [];
  let after: string | undefined;
  do {
    const page = await reads.usersPage({ limit: 1000, ...(after === undefined ? {} : { after }) });
    users.push(...page.items);
    after = page.next;
  } while (after !== undefined);
  return users;
}

async function sorted(
  reads: Reads,
  users: PublishedUser[],
  { sort, desc }: UserQuery,
): Promise<PublishedUser[]> {
  const keyOf = await sortKey(reads, users, sort);
  const keyed = users.map((user) => ({ user, key: keyOf(user) }));
  keyed.sort((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : a.user._id < b.user._id ? -1 : 1));
  if (desc) keyed.reverse();
  return keyed.map(({ user }) => user);
}

async function sortKey(
  reads: Reads,
  users: readonly PublishedUser[],
  sort: UserSort,
): Promise<(user: PublishedUser) => string> {
  if (sort === "name") return (user) => user.name;
  if (sort === "id") return (user) => user.createdAt;
  // Whoever never did anything has "", which stands first, and last when turned round.
  const timesOf = await reads.timesOfMany(users.map((user) => user._id));
  return (user) => userLastActivity(user, timesOf(user._id)(`u:${user._id}`));
}
