import { type CloudEvent, entityOf } from "@elara/contracts";

/** Entities that have a scope of their own: `read:events:servers` for `server`. */
export const EVENT_ENTITIES = ["server", "user", "session", "token"] as const;
export type EventEntity = (typeof EVENT_ENTITIES)[number];

/** Of whom events may be read. Ids: names change, and may become somebody else's. */
export interface Reach {
  readonly users: ReadonlySet<string>;
  /** Single servers; `serverId` is "" for one that does not exist yet. */
  readonly servers: readonly { readonly userId: string; readonly name: string; readonly serverId: string }[];
  /** Services, with the public ids of their tokens. */
  readonly services: ReadonlyMap<string, readonly string[]>;
}

/** What one reader may follow: everything, or per entity. Made of scopes by `readEventReach`. */
export interface EventReach {
  /** Every event, also of entities without a scope of their own. */
  readonly all: boolean;
  /** Of these users every event, also of entities without a scope of their own. */
  readonly usersWhole: ReadonlySet<string>;
  readonly entities: Readonly<Record<EventEntity, "all" | Reach>>;
}

const isEntity = (entity: string): entity is EventEntity => EVENT_ENTITIES.some((known) => known === entity);

/** Whether this reader may read this event. The one rule for streams and for subscribers on the bus. */
export function mayRead(reach: EventReach, event: Pick<CloudEvent, "type" | "data">): boolean {
  if (reach.all) return true;
  const { userId, serverName, service } = event.data;
  if (typeof userId === "string" && reach.usersWhole.has(userId)) return true;
  const entity = entityOf(event.type);
  if (!isEntity(entity)) return false;
  const part = reach.entities[entity];
  if (part === "all") return true;
  if (typeof userId === "string" && part.users.has(userId)) return true;
  if (entity === "server")
    return part.servers.some((server) => server.userId === userId && server.name === serverName);
  return entity === "token" && typeof service === "string" && part.services.has(service);
}

/** Ids of the users it names. */
export function usersReached({ usersWhole, entities }: EventReach): ReadonlySet<string> {
  const found = new Set(usersWhole);
  for (const part of Object.values(entities)) {
    if (part === "all") continue;
    for (const id of part.users) found.add(id);
    for (const { userId } of part.servers) found.add(userId);
  }
  return found;
}

/** Above this many single users, servers and services the hub has to look at every event itself. */
const MOST_NAMED = 100;

/** Subjects of the bus a reader may have; or there are too many, and only the hub's own stream can filter. */
type SubjectFilters =
  | { readonly by: "subjects"; readonly subjects: readonly string[] }
  | { readonly by: "gateway"; readonly named: number };

/** The same as patterns of subjects, `hub.ev.v1.server.*.{userId}.*`; two of them may match one subject. Facts only. */
export function subjectFilters(reach: EventReach): SubjectFilters {
  if (reach.all) return { by: "subjects", subjects: ["hub.ev.v1.>"] };
  const parts = EVENT_ENTITIES.map((entity) => ({ entity, part: reach.entities[entity] }));
  const named = new Set(reach.usersWhole);
  for (const { part } of parts) {
    if (part === "all") continue;
    for (const id of part.users) named.add(id);
    for (const { userId, name } of part.servers) named.add(`${userId}/${name}`);
    for (const name of part.services.keys()) named.add(`service ${name}`);
  }
  if (named.size > MOST_NAMED) return { by: "gateway", named: named.size };

  const subjects = [...reach.usersWhole].map((id) => `hub.ev.v1.*.*.${id}.*`);
  for (const { entity, part } of parts) {
    if (part === "all") {
      subjects.push(`hub.ev.v1.${entity}.>`);
      continue;
    }
    for (const id of part.users)
      if (!reach.usersWhole.has(id)) subjects.push(`hub.ev.v1.${entity}.*.${id}.*`);
    if (entity === "server")
      for (const { userId, serverId } of part.servers)
        if (serverId !== "") subjects.push(`hub.ev.v1.server.*.${userId}.${serverId}`);
    if (entity === "token")
      for (const ids of part.services.values())
        for (const id of ids) subjects.push(`hub.ev.v1.token.*.-.${id}`);
  }
  return { by: "subjects", subjects };
}
