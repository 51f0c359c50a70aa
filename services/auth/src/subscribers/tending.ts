import { codeOf } from "@elara/contracts";
import type { SubscriberConsumer, SubscriberConsumers } from "@elara/runtime/bus/accounts/event-gate";
import { NO_EVENT } from "@elara/runtime/bus/accounts/subject-filters";
import type { Identity } from "@elara/runtime/store/read/identity";
import type { Logger } from "pino";
import { granted } from "./positions.ts";
import type { AllowedOf, Standing, Standings } from "./standing.ts";

/** Consumers looked at in one round; the others wait for the next. */
const AT_ONCE = 100;
/** So many rounds a consumer is still looked at after its subscriber left: the token may be over in a moment. */
const LINGER = 5;
/** Each so many rounds a page of all consumers is looked through for those whose token is gone. */
const PAGE_EVERY = 15;

export interface TendingOptions {
  readonly consumers: SubscriberConsumers;
  readonly standing: Standings;
  readonly allowedOf: AllowedOf;
  readonly log: Logger;
}

interface Seen {
  readonly identity: Identity | undefined;
  /** The round it was last connected in. */
  readonly here: number;
  /** The round it was last looked at in; -1: not since its rights changed. */
  readonly tended: number;
}

/**
 * Keeps consumers at what scopes let through. What a round costs does not grow with the consumers there are: it looks at
 * those in use; a consumer that rests is set right before its subscriber gets in.
 */
export function tending({ consumers, standing, allowedOf, log }: TendingOptions) {
  const inUse = new Map<string, Seen>();
  let pages: AsyncIterator<readonly SubscriberConsumer[]> | undefined;
  let count = 0;

  /** Throws what the store and the bus throw. */
  async function now(subscriber: string, stand: Standing): Promise<void> {
    try {
      if (stand.token === "gone") {
        await consumers.remove(subscriber);
        return;
      }
      const consumer = await consumers.get(subscriber);
      if (!consumer) return;
      // Nothing for a while is no reason to forget where it stood.
      const filters =
        stand.token === "good" ? granted(consumer.wish, await allowedOf(stand.identity)).filters : NO_EVENT;
      if (filters.join() !== consumer.filters.join()) await consumers.refilter(consumer, filters);
    } catch (error) {
      // The stream is made with the first event.
      if (codeOf(error) !== "BUS_STREAM_MISSING") throw error;
    }
  }

  const told = (error: unknown, subscriber: string): void =>
    log.warn(
      { subscriber, code: codeOf(error), err: error },
      "subscriber's consumer not set right, tried again",
    );

  /** Who is new or has other rights first, then who waits longest. */
  const next = (): string[] =>
    [...inUse]
      .sort(([, left], [, right]) => left.tended - right.tended)
      .slice(0, AT_ONCE)
      .map(([subscriber]) => subscriber);

  async function sweep(): Promise<void> {
    try {
      pages ??= consumers.list()[Symbol.asyncIterator]();
      const page = await pages.next();
      if (page.done) pages = undefined;
      else
        for (const id of await standing.gone(page.value.map(({ subscriber }) => subscriber)))
          await consumers.remove(id);
    } catch (error) {
      pages = undefined;
      if (codeOf(error) !== "BUS_STREAM_MISSING") throw error;
    }
  }

  return {
    /** Sets one consumer right. */
    now,
    /** `here`: whoever is connected, without identity when it is being sent away. */
    async round(here: readonly { subscriber: string; identity: Identity | undefined }[]): Promise<void> {
      count += 1;
      for (const { subscriber, identity } of here) {
        const known = inUse.get(subscriber);
        const tended = known?.identity === identity ? (known?.tended ?? -1) : -1;
        inUse.set(subscriber, { identity, here: count, tended });
      }
      const chosen = next();
      const stands = await standing.of(chosen);
      for (const subscriber of chosen) {
        const stand = stands.get(subscriber);
        if (!stand) continue;
        try {
          await now(subscriber, stand);
        } catch (error) {
          told(error, subscriber);
        }
        const seen = inUse.get(subscriber);
        if (seen) inUse.set(subscriber, { ...seen, tended: count });
      }
      for (const [subscriber, { here: last }] of inUse) if (count - last > LINGER) inUse.delete(subscriber);
      if (count % PAGE_EVERY === 0) await sweep();
    },
  };
}
