import { HubError } from "@elara/contracts";
import type { Position, SubscriberConsumers } from "@elara/runtime/bus/accounts/event-gate";
import { commonFilters, NO_EVENT } from "@elara/runtime/bus/accounts/subject-filters";
import { positionRequest } from "./position-request.ts";
import { type Allowed, type AllowedOf, ownerOf, type Standings } from "./standing.ts";

const MAX_FILTERS = 100;
const EVERYTHING = [">"];
/** Consumers of one user or service that are kept at a time. */
const MOST_CONSUMERS = 20;

/** What of its wish a subscriber gets now, and why it may be nothing. */
export interface Granted {
  /** Never empty: nats-server would take that for everything. */
  readonly filters: readonly string[];
  readonly reason?: "too many" | "not allowed" | "not there yet";
}

/** What of a wish is granted. */
export function granted(wish: readonly string[], { subjects, tooMany }: Allowed): Granted {
  const filters = commonFilters(wish, subjects);
  if (tooMany || filters.length > MAX_FILTERS) return { filters: NO_EVENT, reason: "too many" };
  if (filters.length > 0) return { filters };
  // A server that does not exist yet has no subject; anything else that is not there will not come.
  return { filters: NO_EVENT, reason: subjects.length > 0 ? "not allowed" : "not there yet" };
}

/**
 * Gives a subscriber its consumer: the one it has, where it stands; anew, where it asks for another start. Throws what
 * `positionRequest` throws, SUBSCRIBER_NOTHING_ALLOWED, SUBSCRIBER_FILTERS_MANY, SUBSCRIBER_CONSUMERS_MANY, EVENTS_CURSOR_EXPIRED,
 * NO_CREDENTIALS.
 */
export function positions(consumers: SubscriberConsumers, standing: Standings, allowedOf: AllowedOf) {
  const assertRoom = async (owner: string): Promise<void> => {
    let count = 0;
    for await (const page of consumers.list())
      for (const consumer of page) if (consumer.owner === owner) count += 1;
    if (count >= MOST_CONSUMERS) throw new HubError("SUBSCRIBER_CONSUMERS_MANY");
  };

  const assertKept = async (sequence: number): Promise<void> => {
    const { first, last } = await consumers.span();
    if (sequence >= first && sequence <= last + 1) return;
    throw new HubError("EVENTS_CURSOR_EXPIRED", {
      message:
        sequence < first
          ? `sequence: ${sequence} is no longer kept; the earliest is ${first}`
          : `sequence: ${sequence} is not of this log; the next is ${last + 1}`,
      status: 410,
    });
  };

  return async (subscriber: string, body: unknown): Promise<Position> => {
    const { start, filters: asked } = positionRequest(body);
    const stands = (await standing.of([subscriber])).get(subscriber);
    if (stands?.token !== "good") throw new HubError("NO_CREDENTIALS");
    const { identity } = stands;
    const known = await consumers.get(subscriber);
    const wish = asked ?? known?.wish ?? EVERYTHING;
    const { filters, reason } = granted(wish, await allowedOf(identity));
    if (reason === "too many") throw new HubError("SUBSCRIBER_FILTERS_MANY");
    if (reason === "not allowed") throw new HubError("SUBSCRIBER_NOTHING_ALLOWED");
    if (start?.from === "sequence") await assertKept(start.sequence);
    let missed: Position["missed"];
    if (known && !start) {
      const { first } = await consumers.span();
      if (known.place < first) missed = { from: known.place, to: first - 1 };
      const isSame = filters.join() === known.filters.join() && wish.join() === known.wish.join();
      if (!isSame) await consumers.refilter(known, filters, wish);
    } else {
      const owner = ownerOf(identity);
      if (!known) await assertRoom(owner);
      await consumers.make(subscriber, { filters, wish, owner, start: start ?? { from: "new" } });
    }
    return {
      stream_name: consumers.stream,
      name: subscriber,
      config: { filter_subjects: filters, ack_policy: "explicit" },
      created: !known,
      ...(missed ? { missed } : {}),
    };
  };
}
