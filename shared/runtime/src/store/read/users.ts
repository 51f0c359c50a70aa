import { type User, users } from "@elara/contracts";
import type { Filter, Page, Store } from "../store.ts";
import { documentsOf } from "./documents-of.ts";

const usersIn = documentsOf(users);

/** What others may see of a user. */
export type PublishedUser = Pick<User, "_id" | "name" | "admin" | "createdAt" | "lastLoginAt" | "deletingAt">;

/** The living user of this name. */
export async function userByName(store: Store, name: string): Promise<PublishedUser | undefined> {
  const { items } = await usersIn(store).find({ where: { nameKey: name, deletedAt: "" }, limit: 1 });
  return items[0] && published(items[0]);
}

/** The living user with this id. */
export async function userById(store: Store, id: string): Promise<PublishedUser | undefined> {
  const user = await usersIn(store).get(id);
  return user && user.deletedAt === "" ? published(user) : undefined;
}

/** The living ones among these ids, in no order; unknown ids are left out. */
export const usersByIds = (store: Store, ids: readonly string[]): Promise<PublishedUser[]> =>
  inBatches(store, ids, (part) => ({ _id: { in: part } }));

/** The living ones among these names, in no order. */
export const usersByNames = (store: Store, names: readonly string[]): Promise<PublishedUser[]> =>
  inBatches(store, names, (part) => ({ nameKey: { in: part } }));

export interface UsersQuery {
  /** Default: creation, oldest first. */
  readonly sort?: "created" | "name";
  readonly desc?: boolean;
  readonly offset?: number;
  /** 1 to 1,000. */
  readonly limit: number;
  /** Cursor of the page before; takes the place of `offset` and costs nothing however far one is. Not with `nameContains`. */
  readonly after?: string;
  /** Substring of the name, case ignored. Reads past every user before the page. */
  readonly nameContains?: string;
}

export interface UsersPage {
  readonly items: PublishedUser[];
  /** Users there are, before offset and limit; with `nameContains` those that match. */
  readonly total: number;
  /** Cursor for the next page; absent on the last one. */
  readonly next?: string;
}

/** One page of the living users. */
export async function usersPage(store: Store, query: UsersQuery): Promise<UsersPage> {
  return query.nameContains ? filteredPage(store, query, query.nameContains) : plainPage(store, query);
}

async function plainPage(store: Store, query: UsersQuery): Promise<UsersPage> {
  const total = await usersIn(store).count(LIVING);
  let skip = query.after === undefined ? (query.offset ?? 0) : 0;
  let after = query.after;
  while (skip > 0) {
    const passed = await batch(store, query, Math.min(skip, 1000), after);
    if (passed.next === undefined) return { items: [], total };
    after = passed.next;
    skip -= passed.items.length;
  }
  const { items, next } = await batch(store, query, query.limit, after);
  return { items: items.map(published), total, ...(next === undefined ? {} : { next }) };
}

/** The store has no substrings, so every user is looked at. A search by administrators, not on anybody's way. */
async function filteredPage(store: Store, query: UsersQuery, text: string): Promise<UsersPage> {
  const wanted = text.toLowerCase();
  const matching: PublishedUser[] = [];
  let after: string | undefined;
  do {
    const { items, next } = await batch(store, query, 1000, after);
    matching.push(...items.filter(({ name }) => name.toLowerCase().includes(wanted)).map(published));
    after = next;
  } while (after !== undefined);
  const offset = query.offset ?? 0;
  return { items: matching.slice(offset, offset + query.limit), total: matching.length };
}

/** A stretch of the users in the order of their names, which are unique. */
export interface NamesQuery {
  /** What names begin with; "" for all. */
  readonly prefix: string;
  /** The stretch behind this name. */
  readonly after?: string;
  /** The stretch before this name. Not with `after`. */
  readonly before?: string;
  /** 1 to 1,000. */
  readonly limit: number;
}

/** Sorts behind every name that begins like it. */
const LAST_CHARACTER = "\u{10ffff}";

/** The living users of a stretch of names, by the index of names: costs the same wherever it is. `more` go on in its direction. */
export async function usersByNameRange(
  store: Store,
  { prefix, after = "", before, limit }: NamesQuery,
): Promise<{ items: PublishedUser[]; more: boolean }> {
  const lower: Filter = after >= prefix && after !== "" ? { name: { gt: after } } : { name: { gte: prefix } };
  const end = `${prefix}${LAST_CHARACTER}`;
  const page = await usersIn(store).find({
    where: { and: [lower, { name: { lt: before ?? end } }, LIVING] },
    sort: { by: ["name"], desc: before !== undefined },
    limit,
  });
  const items = page.items.map(published);
  return { items: before === undefined ? items : items.reverse(), more: page.next !== undefined };
}

const batch = (store: Store, query: UsersQuery, limit: number, after?: string): Promise<Page<User>> =>
  usersIn(store).find({
    where: LIVING,
    sort: { by: [query.sort === "name" ? "name" : "createdAt"], desc: query.desc === true },
    limit,
    ...(after === undefined ? {} : { after }),
  });

const LIVING: Filter = { deletedAt: "" };
const BATCH = 500;

async function inBatches(
  store: Store,
  values: readonly string[],
  where: (part: readonly string[]) => Filter,
): Promise<PublishedUser[]> {
  const found: PublishedUser[] = [];
  for (let at = 0; at < values.length; at += BATCH) {
    const filter = { ...where(values.slice(at, at + BATCH)), ...LIVING };
    const { items } = await usersIn(store).find({ where: filter, limit: BATCH });
    found.push(...items.map(published));
  }
  return found;
}

const published = ({ _id, name, admin, createdAt, lastLoginAt, deletingAt }: User): PublishedUser => ({
  _id,
  name,
  admin,
  createdAt,
  lastLoginAt,
  deletingAt,
});
