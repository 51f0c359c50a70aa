import { servers, tokens, users } from "@elara/contracts";
import { EVENT_ENTITIES, type EventEntity, type EventReach, type Reach } from "../../scopes/event-reach.ts";
import { parseFilter } from "../../scopes/filter.ts";
import type { Scope } from "../../scopes/hierarchy.ts";
import type { ScopeSet } from "../../scopes/scope-set.ts";
import type { Store } from "../store.ts";
import { documentsOf } from "./documents-of.ts";

const serversIn = documentsOf(servers);
const tokensIn = documentsOf(tokens);
const usersIn = documentsOf(users);
/** Names asked for in one query. */
const AT_ONCE = 500;

const SCOPES: Readonly<Record<EventEntity, Scope>> = {
  server: "read:events:servers",
  user: "read:events:users",
  session: "read:events:sessions",
  token: "read:events:tokens",
};

/** Whether these scopes let one follow anything at all, be it of somebody only. */
export const mayFollowEvents = (scopes: ScopeSet): boolean =>
  EVENT_ENTITIES.some((entity) => scopes.has(SCOPES[entity]));

/**
 * What scopes let one follow, with names as they are held now turned into ids: a name that went to somebody else leads to
 * them, and a name nobody has leads nowhere. A deleted user's name leads to that user for the day it is reserved. Ask
 * again when scopes or names may have changed.
 */
export async function readEventReach(store: Store, scopes: ScopeSet): Promise<EventReach> {
  if (scopes.allows("read:events")) return EVERYTHING;
  const wanted = EVENT_ENTITIES.map((entity) => ({ entity, names: namesOf(scopes, SCOPES[entity]) }));
  const whole = namesOf(scopes, "read:events");
  const ids = await userIdsOf(store, [...followedNames(scopes)]);
  const usersOf = (names: readonly string[]): Set<string> =>
    new Set(names.map((name) => ids.get(name) ?? "").filter((id) => id !== ""));
  const reachOf = async (names: "all" | Names): Promise<"all" | Reach> =>
    names === "all"
      ? "all"
      : {
          users: usersOf(names.users),
          servers: await serversOf(store, names.servers, ids),
          services: await servicesOf(store, names.services),
        };
  const entries = await Promise.all(
    wanted.map(async ({ entity, names }) => [entity, await reachOf(names)] as const),
  );
  return {
    all: false,
    usersWhole: whole === "all" ? new Set() : usersOf(whole.users),
    entities: { ...EVERYTHING.entities, ...Object.fromEntries(entries) },
  };
}

/** Names of users these scopes let one follow, whether anybody has them or not; of everybody it names nobody. */
export function followedNames(scopes: ScopeSet): ReadonlySet<string> {
  const found = new Set<string>();
  if (scopes.allows("read:events")) return found;
  for (const scope of [...Object.values(SCOPES), "read:events" as const]) {
    const names = namesOf(scopes, scope);
    if (names === "all") continue;
    for (const name of names.users) found.add(name);
    for (const { user } of names.servers) found.add(user);
  }
  return found;
}

const EVERYTHING: EventReach = {
  all: true,
  usersWhole: new Set(),
  entities: { server: "all", user: "all", session: "all", token: "all" },
};

interface Names {
  readonly users: readonly string[];
  readonly servers: readonly { readonly user: string; readonly name: string }[];
  readonly services: readonly string[];
}

function namesOf(scopes: ScopeSet, scope: Scope): "all" | Names {
  const filters = scopes.filtersOf(scope);
  if (filters === "all") return "all";
  const parsed = [...filters].map(parseFilter).filter((filter) => filter !== undefined);
  const valuesOf = (kind: string) =>
    parsed.filter((filter) => filter.kind === kind).map(({ value }) => value);
  const held = scopes.usersOf(scope);
  return {
    users: held === "all" ? [] : held,
    servers: valuesOf("server").map((value) => {
      const at = value.indexOf("/");
      return { user: value.slice(0, at), name: value.slice(at + 1) };
    }),
    services: valuesOf("service"),
  };
}

/** Ids by name, names as they are held now. */
export async function userIdsOf(store: Store, names: readonly string[]): Promise<Map<string, string>> {
  const ids = new Map<string, string>();
  for (let from = 0; from < names.length; from += AT_ONCE) {
    const { items } = await usersIn(store).find({
      where: { nameKey: { in: names.slice(from, from + AT_ONCE) } },
    });
    for (const { _id, name } of items) ids.set(name, _id);
  }
  return ids;
}

async function serversOf(
  store: Store,
  wanted: Names["servers"],
  ids: ReadonlyMap<string, string>,
): Promise<Reach["servers"]> {
  const found: { userId: string; name: string; serverId: string }[] = [];
  for (const { user, name } of wanted) {
    const userId = ids.get(user);
    if (userId === undefined) continue;
    const { items } = await serversIn(store).find({ where: { userId, name }, limit: 1 });
    found.push({ userId, name, serverId: items[0]?._id ?? "" });
  }
  return found;
}

async function servicesOf(store: Store, names: readonly string[]): Promise<Map<string, string[]>> {
  const found = new Map(names.map((name): [string, string[]] => [name, []]));
  if (found.size === 0) return found;
  const { items } = await tokensIn(store).find({ where: { kind: "service" } });
  for (const { service, publicId } of items) found.get(service)?.push(publicId);
  return found;
}
