import { type Phase, type Server, servers } from "@elara/contracts";
import type { Filter, Page, Store } from "../store.ts";
import { documentsOf } from "./documents-of.ts";

const serversIn = documentsOf(servers);

/** What others may see of a server: all but the outbox, the orders and who drives it. */
export type PublishedServer = Omit<
  Server,
  "v" | "rev" | "seq" | "pendingEvents" | "pendingSince" | "orders" | "driver"
>;

/** Phases in which a server is active: ready, or on its way there or down. */
export const ACTIVE_PHASES: readonly Phase[] = [
  "requested",
  "queued",
  "starting",
  "ready",
  "stopping",
  "unknown",
];

const LIVING: Filter = { deletedAt: "" };

/** The server at this public path (with slashes around). */
export const serverByPath = (store: Store, path: string): Promise<PublishedServer | undefined> =>
  first(store, { path, ...LIVING });

/** A user's server by name; "" is the default one. */
export const serverByName = (
  store: Store,
  userId: string,
  name: string,
): Promise<PublishedServer | undefined> => first(store, { userId, name, ...LIVING });

/** The server with this id. */
export async function serverById(store: Store, id: string): Promise<PublishedServer | undefined> {
  const server = await serversIn(store).get(id);
  return server && server.deletedAt === "" ? published(server) : undefined;
}

/** All servers of a user, by name. */
export async function serversOfUser(store: Store, userId: string): Promise<PublishedServer[]> {
  const { items } = await serversIn(store).find({
    where: { userId, ...LIVING },
    sort: { by: ["userId", "name"] },
  });
  return items.map(published);
}

/** The servers of many users, in no order. */
export async function serversOfUsers(store: Store, userIds: readonly string[]): Promise<PublishedServer[]> {
  const found: PublishedServer[] = [];
  for (let at = 0; at < userIds.length; at += 200) {
    const where = { userId: { in: userIds.slice(at, at + 200) }, ...LIVING };
    for await (const server of every(store, where)) found.push(server);
  }
  return found;
}

/** One page of the servers that are active, or in the given phases. */
export const activePage = (
  store: Store,
  {
    after,
    limit,
    phases = ACTIVE_PHASES,
  }: { after?: string; limit?: number; phases?: readonly Phase[] } = {},
): Promise<Page<PublishedServer>> =>
  page(store, { phase: { in: phases }, ...LIVING }, ["phase"], after, limit);

/** One page of the servers that have a route. */
export const routedPage = (
  store: Store,
  { after, limit }: { after?: string; limit?: number } = {},
): Promise<Page<PublishedServer>> => page(store, { routed: true }, ["routed"], after, limit);

async function first(store: Store, where: Filter): Promise<PublishedServer | undefined> {
  const { items } = await serversIn(store).find({ where, limit: 1 });
  return items[0] && published(items[0]);
}

async function page(
  store: Store,
  where: Filter,
  by: readonly string[],
  after?: string,
  limit = 1000,
): Promise<Page<PublishedServer>> {
  const found = await serversIn(store).find({
    where,
    sort: { by },
    limit,
    ...(after === undefined ? {} : { after }),
  });
  return { items: found.items.map(published), ...(found.next === undefined ? {} : { next: found.next }) };
}

async function* every(store: Store, where: Filter, by?: readonly string[]): AsyncGenerator<PublishedServer> {
  let after: string | undefined;
  do {
    const found = await serversIn(store).find({
      where,
      ...(by ? { sort: { by } } : {}),
      ...(after === undefined ? {} : { after }),
    });
    for (const server of found.items) yield published(server);
    after = found.next;
  } while (after !== undefined);
}

function published(server: Server): PublishedServer {
  const { v, rev, seq, pendingEvents, pendingSince, orders, driver, ...shown } = server;
  return shown;
}
