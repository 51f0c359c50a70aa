import { HubError } from "@elara/contracts";
import type { Position, SubscriberConsumers } from "@elara/runtime/bus/accounts/event-gate";
import { commonFilters } from "@elara/runtime/bus/accounts/subject-filters";
import type { Allowed, Standings } from "./standing.ts";
import { wishOf } from "./wish.ts";

const MAX_FILTERS = 100;
const EVERYTHING = [">"];
/** Matches no event. No filter at all would match each. */
const NOTHING = ["hub.ev.v1.-.-.-.-"];

/** What of its wish a subscriber gets now: never an empty list, which nats-server would take for everything. */
export function grantedFilters(wish: readonly string[], { subjects }: Allowed): readonly string[] {
  const filters = commonFilters(wish, subjects);
  return filters.length === 0 ? NOTHING : filters;
}

/**
 * Gives a subscriber its consumer: the one it has, where it stands; anew, where it asks for another start. Throws what
 * `wishOf` throws, SUBSCRIBER_NOTHING_ALLOWED, SUBSCRIBER_FILTERS_MANY, EVENTS_CURSOR_EXPIRED, NO_CREDENTIALS.
 */
export function positions(consumers: SubscriberConsumers, standingsOf: Standings) {
  return async (subscriber: string, body: unknown): Promise<Position> => {
    const { start, filters: asked } = wishOf(body);
    const standing = (await standingsOf([subscriber])).get(subscriber);
    if (!standing) throw new HubError("NO_CREDENTIALS");
    const known = await consumers.get(subscriber);
    const wish = asked ?? known?.wish ?? EVERYTHING;
    const { allowed } = standing;
    const filters = grantedFilters(wish, allowed);
    if (allowed.tooMany || filters.length > MAX_FILTERS) throw new HubError("SUBSCRIBER_FILTERS_MANY");
    // A server that does not exist yet has no subject; anything else that is not there will not come.
    if (filters === NOTHING && allowed.subjects.length > 0) throw new HubError("SUBSCRIBER_NOTHING_ALLOWED");
    if (start?.from === "sequence") {
      const earliest = await consumers.earliest();
      if (start.sequence < earliest)
        throw new HubError("EVENTS_CURSOR_EXPIRED", {
          message: `sequence: ${start.sequence} is no longer kept; the earliest is ${earliest}`,
          status: 410,
        });
    }
    if (known && !start) {
      const isSame = filters.join() === known.filters.join() && wish.join() === known.wish.join();
      if (!isSame) await consumers.refilter(known, filters, wish);
    } else {
      await consumers.make(subscriber, { filters, wish, start: start ?? { from: "new" } });
    }
    return {
      stream_name: consumers.stream,
      name: subscriber,
      config: { filter_subjects: filters, ack_policy: "explicit" },
      created: !known,
    };
  };
}
