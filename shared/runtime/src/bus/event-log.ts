import { CloudEvent, codeOf, HubError } from "@elara/contracts";
import type { Logger } from "pino";
import { isAway } from "../is-away.ts";
import { within } from "../within.ts";
import type { EventLog, ReadEvents, StoredEvent } from "./bus.ts";
import { checked, decode } from "./checked.ts";
import type { KeptFact, Wire } from "./wire.ts";

/** `after` of whoever wants all that is kept. */
const FROM_START = "0";
const FACTS = "hub.ev.v1.>";
/** Between tries while the bus is away, or its log is. */
const AGAIN_MS = 500;

/** The log of facts over an adapter's wire: cursors, what is expired, going on after an outage; readers end when it is closed. */
export function eventLog(wire: Wire, log: Logger, closed: AbortSignal): EventLog {
  const stored = ({ sequence, subject, bytes }: KeptFact): StoredEvent | undefined => {
    try {
      const event = checked(CloudEvent, decode(bytes, subject), subject);
      const [userId = "-", objectId = "-"] = subject.split(".").slice(5);
      const id = (token: string): string => (token === "-" ? "" : token);
      return { position: String(sequence), event, userId: id(userId), objectId: id(objectId) };
    } catch (error) {
      log.error({ subject, sequence, err: error }, "kept event not readable");
      return undefined;
    }
  };

  /** Where to go on, when nothing between there and what is kept is missing. Throws EVENTS_CURSOR_EXPIRED. */
  const standing = async (after: number): Promise<number> => {
    const { first, last } = await wire.facts.span();
    if (after >= first - 1 && after <= last) return after;
    throw expired(first);
  };

  /** Facts until the connection changes: then what is at the other end may be another log. */
  async function* unbroken(after: number, patterns: readonly string[], signal: AbortSignal) {
    const broken = new AbortController();
    const unlisten = wire.onChange(() => broken.abort());
    try {
      yield* wire.facts.read({ after, patterns, signal: AbortSignal.any([signal, broken.signal]) });
    } finally {
      unlisten();
    }
  }

  async function* read({ after, types, signal: left }: ReadEvents): AsyncGenerator<StoredEvent> {
    const signal = AbortSignal.any([left, closed]);
    const patterns = types?.map((type) => `hub.ev.v1.${type}.*.*`) ?? [FACTS];
    if (patterns.length === 0) return;
    const span = await wire.facts.span();
    let position = after === undefined ? span.last : after === FROM_START ? span.first - 1 : cursor(after);
    // Whoever wants what is there does not mind that it begins a little later.
    let isExact = after !== FROM_START;
    for (let isFirst = true; !signal.aborted; isFirst = false) {
      try {
        if (!isFirst || isExact) position = await standing(position);
        for await (const fact of unbroken(position, patterns, signal)) {
          if (fact.sequence <= position) continue;
          // What an administrator has taken out of the middle is gone for everybody; what lies before the first is missed.
          if (types === undefined && isExact && fact.sequence !== position + 1) await standing(position);
          position = fact.sequence;
          isExact = true;
          const event = stored(fact);
          if (event !== undefined) yield event;
          if (signal.aborted) return;
        }
      } catch (error) {
        if (signal.aborted) return;
        if (!isAway(error) && codeOf(error) !== "BUS_TIMEOUT" && codeOf(error) !== "BUS_STREAM_MISSING")
          throw error;
        log.debug({ err: error, position }, "reading of events waits");
      }
      if (!signal.aborted) await pause(signal);
    }
  }

  return {
    read,
    async span() {
      const { first, last } = await wire.facts.span();
      return { earliest: String(first - 1), latest: String(last) };
    },
  };

  /** Not at once again, but as soon as the bus is back. */
  async function pause(signal: AbortSignal): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const unlisten = wire.onChange((connected) => connected && resolve());
    const stop = (): void => resolve();
    signal.addEventListener("abort", stop);
    await within(AGAIN_MS, promise);
    signal.removeEventListener("abort", stop);
    unlisten();
  }
}

function cursor(after: string): number {
  if (!/^\d{1,15}$/.test(after)) throw new HubError("EVENTS_CURSOR_INVALID");
  return Number(after);
}

const expired = (first: number): HubError =>
  new HubError("EVENTS_CURSOR_EXPIRED", {
    message: `The events after this position are not kept any more. Read the present state, then go on after ${first - 1}, the earliest position that is kept.`,
    detail: { earliest: String(first - 1) },
  });
