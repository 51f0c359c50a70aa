import { cloudType, type EventContract, entityOf, events, HubError } from "@elara/contracts";
import { normalName } from "@elara/runtime/user-name";
import { fieldsOf } from "../models/fields.ts";

/** What a subscriber asked for. */
export interface EventQuery {
  /** CloudEvents types to be sent; undefined: all. */
  readonly types: ReadonlySet<string> | undefined;
  /** Names of users whose events are wanted; undefined: everybody's. */
  readonly users: readonly string[] | undefined;
  /** Position to go on after; undefined: from now on. */
  readonly after: string | undefined;
  /** Seconds after which the answer ends, at once when there was something; undefined: it goes on. */
  readonly waitSeconds: number | undefined;
}

const facts: readonly EventContract[] = Object.values(events).filter(({ kind }) => kind === "fact");
const entities = new Set(facts.map(({ type }) => type.split(".", 1)[0] ?? ""));
const MOST_WAIT_SECONDS = 60;
const FIELDS = ["type", "user", "after", "wait"];

const wrong = (message: string): HubError => new HubError("FIELD_INVALID", { message });

/** Lists may be repeated or written with commas, and hold something: an empty one would choose everything. Throws FIELD_INVALID; whether the position is one is said by the bus. */
export function eventQuery(query: unknown, lastEventId: string | undefined): EventQuery {
  const stranger = Object.keys(Object(query)).find((name) => !FIELDS.includes(name));
  if (stranger !== undefined)
    throw wrong(`${stranger.slice(0, 64)}: is not known here; take ${FIELDS.join(", ")}`);
  const list = (name: string): string[] => {
    const items = fieldsOf(query, name)
      .flatMap((text) => text.split(","))
      .map((text) => text.trim());
    if (items.includes("")) throw wrong(`${name}: has an empty item; name one, or leave ${name} out for all`);
    return items;
  };
  const [wait] = fieldsOf(query, "wait");
  const [after] = fieldsOf(query, "after");
  const types = list("type");
  const users = list("user");
  return {
    types: types.length === 0 ? undefined : new Set(types.flatMap(typesOf)),
    users: users.length === 0 ? undefined : users.map(normalName),
    // A browser that comes back sends the first address again, and with it where it got to.
    after: lastEventId || after,
    waitSeconds: wait === undefined ? undefined : seconds(wait),
  };
}

/** `server.ready`, or all of `server`. */
function typesOf(wanted: string): string[] {
  const cloudTypes = (of: readonly EventContract[]) => of.map(cloudType);
  const entity = wanted.replace(/\.\*$/, "");
  if (entities.has(entity)) return cloudTypes(facts.filter(({ type }) => type.startsWith(`${entity}.`)));
  const exact = facts.filter((fact) => fact.type === wanted || cloudType(fact) === wanted);
  if (exact.length === 0)
    throw wrong(
      `type: there is no event "${wanted.slice(0, 64)}"; one of ${[...entities].join(", ")}, or e.g. server.ready (EVENTS.md lists all)`,
    );
  return cloudTypes(exact);
}

function seconds(text: string): number {
  if (!/^\d{1,3}$/.test(text) || Number(text) > MOST_WAIT_SECONDS)
    throw wrong(`wait: takes 0 to ${MOST_WAIT_SECONDS} seconds`);
  return Number(text);
}

/** Whether names may lead to other people after this event. */
export const changesNames = (event: { readonly type: string }): boolean =>
  entityOf(event.type) === "user" && /\.(created|updated|deleted)\.v1$/.test(event.type);
