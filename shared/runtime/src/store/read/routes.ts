import { routes, servers } from "@elara/contracts";
import type { Page, Store } from "../store.ts";

/** Where one path leads, as far as the store knows. */
export interface RouteRecord {
  /** Public path with base URL and slashes around, as it was stored. */
  readonly path: string;
  /** `http://host:port` to forward to; "" when there is nothing to forward to (any more). */
  readonly url: string;
  /** Document id: of the server, or of the route that is no server. */
  readonly id: string;
  readonly kind: "server" | "route";
  /** Owner of the server, "" for other routes. */
  readonly userId: string;
  readonly changedAt: string;
}

/** Route by path, by change and as a whole; full server documents stay behind it. Every call throws STORE_AWAY. */
export interface RouteReader {
  /** A page of all there is to route: servers first, then other routes. */
  page(kind: RouteRecord["kind"], after?: string): Promise<Page<RouteRecord>>;
  /** What changed at or behind this time, also what is not routed any more (url ""). */
  changedSince(time: string): Promise<RouteRecord[]>;
  /** What stands under any of these paths. */
  byPaths(paths: readonly string[]): Promise<RouteRecord[]>;
  /** One document as it is now; undefined when it is gone. */
  byId(kind: RouteRecord["kind"], id: string): Promise<RouteRecord | undefined>;
}

const PAGE = 500;

/** Reads routes from the ledger of servers and the routes that are none. */
export function routeReader(store: Store): RouteReader {
  const ledger = store.collection(servers);
  const others = store.collection(routes);

  async function* changed(kind: RouteRecord["kind"], time: string): AsyncGenerator<RouteRecord[]> {
    let after: string | undefined;
    do {
      const query = {
        where: { changedAt: { gte: time } },
        sort: { by: ["changedAt"] },
        limit: PAGE,
        ...(after === undefined ? {} : { after }),
      };
      const page =
        kind === "server"
          ? mapPage(await ledger.find(query), ofServer)
          : mapPage(await others.find(query), ofRoute);
      yield page.items;
      after = page.next;
    } while (after !== undefined);
  }

  return {
    async page(kind, after) {
      const from = { limit: PAGE, ...(after === undefined ? {} : { after }) };
      return kind === "server"
        ? mapPage(await ledger.find({ where: { routed: true }, sort: { by: ["routed"] }, ...from }), ofServer)
        : mapPage(await others.find({ where: { deletedAt: "" }, ...from }), ofRoute);
    },
    async changedSince(time) {
      const found: RouteRecord[] = [];
      for (const kind of ["server", "route"] as const)
        for await (const items of changed(kind, time)) found.push(...items);
      return found;
    },
    async byPaths(paths) {
      const where = { path: { in: paths } };
      const [found, extra] = await Promise.all([ledger.find({ where }), others.find({ where })]);
      return [...found.items.map(ofServer), ...extra.items.map(ofRoute)];
    },
    async byId(kind, id) {
      if (kind === "server") {
        const doc = await ledger.get(id);
        return doc && ofServer(doc);
      }
      const doc = await others.get(id);
      return doc && ofRoute(doc);
    },
  };
}

const mapPage = <D>(page: Page<D>, of: (doc: D) => RouteRecord): Page<RouteRecord> => ({
  items: page.items.map(of),
  ...(page.next === undefined ? {} : { next: page.next }),
});

interface ServerFields {
  readonly _id: string;
  readonly path: string;
  readonly url: string;
  readonly routed: boolean;
  readonly userId: string;
  readonly changedAt: string;
  readonly deletedAt: string;
}

const ofServer = (doc: ServerFields): RouteRecord => ({
  kind: "server",
  id: doc._id,
  path: doc.path,
  url: doc.routed && doc.deletedAt === "" ? doc.url : "",
  userId: doc.userId,
  changedAt: doc.changedAt,
});

interface RouteFields {
  readonly _id: string;
  readonly path: string;
  readonly target: string;
  readonly changedAt: string;
  readonly deletedAt: string;
}

const ofRoute = (doc: RouteFields): RouteRecord => ({
  kind: "route",
  id: doc._id,
  path: doc.path,
  url: doc.deletedAt === "" ? doc.target : "",
  userId: "",
  changedAt: doc.changedAt,
});
