import { HubError } from "@elara/contracts";
import {
  AckPolicy,
  type ConsumerInfo,
  DeliverPolicy,
  JetStreamApiError,
  type JetStreamManager,
  jetstreamManager,
  type SeqMsgRequest,
} from "@nats-io/jetstream";
import { type NatsConnection, nanos, TimeoutError } from "@nats-io/transport-node";
import { type Clock, systemClock } from "../../clock.ts";
import { EVENT_STREAM, STREAM_NOT_FOUND, spanOf } from "../nats-stream.ts";
import type { Start, SubscriberConsumer, SubscriberConsumers } from "./event-gate.ts";
import { NO_EVENT } from "./subject-filters.ts";

const ASK_MS = 2000;
const UNUSED_MS = 14 * 86_400_000;
const ACK_WAIT_MS = 30_000;
const CONSUMER_NOT_FOUND = 10014;
const NO_MESSAGE = 10037;
/** A wider filter goes back no further: auth looks at filters far more often. */
const BACK_MS = 60_000;
/** Marks the consumers of subscribers; the hub's own have no such thing. */
const ASKED = "elara-filter";
const START = "elara-start";
const OWNER = "elara-owner";

const codeOf = (error: unknown): number =>
  error instanceof JetStreamApiError ? error.apiError().err_code : 0;

/** Where a consumer goes on; what it got and did not acknowledge it may get again. */
const placeOf = ({ delivered, ack_floor, num_ack_pending }: ConsumerInfo): number =>
  (num_ack_pending > 0 ? ack_floor.stream_seq : delivered.stream_seq) + 1;

function read(info: ConsumerInfo): SubscriberConsumer | undefined {
  const { name, config } = info;
  const { [ASKED]: wish, [START]: start, [OWNER]: owner = "" } = config.metadata ?? {};
  if (wish === undefined) return undefined;
  const place = placeOf(info);
  return {
    subscriber: name,
    filters: config.filter_subjects ?? (config.filter_subject ? [config.filter_subject] : []),
    wish: wish.split(" "),
    start: start === undefined ? place : Number(start),
    place,
    owner,
  };
}

/** As a sequence: JetStream makes no consumer that began otherwise go back, as a wider filter may have to. */
async function startOf(start: Start, manager: JetStreamManager): Promise<number> {
  if (start.from === "sequence") return start.sequence;
  const { first, last } = await spanOf(manager);
  if (start.from === "all") return first;
  if (start.from === "new") return last + 1;
  return Math.min(await sequenceOf(manager, { start_time: start.time }), last + 1);
}

/** The consumers of subscribers on the stream of events, by JetStream's own interface. */
export function subscriberConsumers(
  live: () => NatsConnection,
  clock: Pick<Clock, "now"> = systemClock,
): SubscriberConsumers {
  const withStream = async <T>(work: (manager: JetStreamManager) => Promise<T>): Promise<T> => {
    const connection = live();
    try {
      return await work(await jetstreamManager(connection, { timeout: ASK_MS, checkAPI: false }));
    } catch (error) {
      if (error instanceof HubError) throw error;
      if (error instanceof TimeoutError) throw new HubError("BUS_TIMEOUT", { cause: error });
      if (connection.isClosed()) throw new HubError("BUS_AWAY", { cause: error });
      if (codeOf(error) === STREAM_NOT_FOUND) throw new HubError("BUS_STREAM_MISSING", { cause: error });
      throw error;
    }
  };
  const remove = (manager: JetStreamManager, subscriber: string): Promise<boolean> =>
    manager.consumers.delete(EVENT_STREAM, subscriber).catch((error: unknown) => {
      if (codeOf(error) === CONSUMER_NOT_FOUND) return false;
      throw error;
    });

  return {
    stream: EVENT_STREAM,
    async *list() {
      const lister = await withStream(async ({ consumers }) => consumers.list(EVENT_STREAM));
      for (;;) {
        const page = await withStream(() => lister.next());
        if (page.length === 0) return;
        yield page.map(read).filter((consumer) => consumer !== undefined);
      }
    },
    get: (subscriber) =>
      withStream(async ({ consumers }) => {
        try {
          return read(await consumers.info(EVENT_STREAM, subscriber));
        } catch (error) {
          if (codeOf(error) === CONSUMER_NOT_FOUND) return undefined;
          throw error;
        }
      }),
    make: (subscriber, { filters, wish, owner, start }) =>
      withStream(async (manager) => {
        const first = await startOf(start, manager);
        await remove(manager, subscriber);
        await manager.consumers.add(EVENT_STREAM, {
          durable_name: subscriber,
          ack_policy: AckPolicy.Explicit,
          ack_wait: nanos(ACK_WAIT_MS),
          inactive_threshold: nanos(UNUSED_MS),
          max_ack_pending: 1000,
          max_waiting: 64,
          max_batch: 1000,
          filter_subjects: [...filters],
          deliver_policy: DeliverPolicy.StartSequence,
          opt_start_seq: first,
          metadata: { [ASKED]: wish.join(" "), [START]: String(first), [OWNER]: owner },
        });
      }),
    refilter: ({ subscriber, filters: before, wish: wished, start, owner }, filters, wish = wished) =>
      withStream(async (manager) => {
        const metadata = (from: number) => ({
          [ASKED]: wish.join(" "),
          [START]: String(from),
          [OWNER]: owner,
        });
        if (isNothing(filters)) {
          const place = isNothing(before) ? start : await restingPlace(manager, subscriber);
          await manager.consumers.update(EVENT_STREAM, subscriber, {
            filter_subjects: [...filters],
            metadata: metadata(place),
          });
          return;
        }
        const info = await manager.consumers.update(EVENT_STREAM, subscriber, {
          filter_subjects: [...filters],
          metadata: metadata(start),
        });
        const added = filters.filter((filter) => !before.includes(filter));
        const since = isNothing(before) ? start : await lately(manager, start, clock.now());
        const missed = await Promise.all(
          added.map((subject) => sequenceOf(manager, { seq: since, next_by_subj: subject })),
        );
        const first = Math.min(...missed);
        if (first === Number.POSITIVE_INFINITY) return;
        // Not only when it is told to be past that: what it skipped last without finding anything it does not tell.
        await manager.consumers.reset(
          EVENT_STREAM,
          subscriber,
          Math.max(start, Math.min(first, placeOf(info))),
        );
      }),
    span: () => withStream(spanOf),
    remove: (subscriber) => withStream((manager) => remove(manager, subscriber)),
  };
}

const isNothing = (filters: readonly string[]): boolean => filters.join() === NO_EVENT.join();

/** Where a consumer that gets nothing from now on is to go on one day. */
async function restingPlace(manager: JetStreamManager, subscriber: string): Promise<number> {
  const { last } = await spanOf(manager);
  const info = await manager.consumers.info(EVENT_STREAM, subscriber);
  return info.num_ack_pending + info.num_pending > 0 ? placeOf(info) : last + 1;
}

/** How far back a wider filter looks. */
async function lately(manager: JetStreamManager, start: number, now: number): Promise<number> {
  const { last } = await spanOf(manager);
  const since = new Date(now - BACK_MS).toISOString();
  return Math.max(start, Math.min(await sequenceOf(manager, { start_time: since }), last + 1));
}

/** The first message that fits; Infinity when there is none. */
async function sequenceOf(
  manager: JetStreamManager,
  wanted: { seq: number; next_by_subj: string } | { start_time: string },
): Promise<number> {
  try {
    // The server takes all of these, the library's type does not say so.
    const message = await manager.streams.getMessage(EVENT_STREAM, wanted as SeqMsgRequest);
    return message?.seq ?? Number.POSITIVE_INFINITY;
  } catch (error) {
    if (codeOf(error) === NO_MESSAGE) return Number.POSITIVE_INFINITY;
    throw error;
  }
}
