import { HubError } from "@elara/contracts";
import {
  AckPolicy,
  type ConsumerConfig,
  type ConsumerInfo,
  DeliverPolicy,
  JetStreamApiError,
  type JetStreamManager,
  jetstreamManager,
  type SeqMsgRequest,
} from "@nats-io/jetstream";
import { type NatsConnection, nanos, TimeoutError } from "@nats-io/transport-node";
import { EVENT_STREAM } from "../nats-stream.ts";
import type { Start, SubscriberConsumer, SubscriberConsumers } from "./event-gate.ts";

const ASK_MS = 2000;
const UNUSED_MS = 14 * 86_400_000;
const ACK_WAIT_MS = 30_000;
const CONSUMER_NOT_FOUND = 10014;
const STREAM_NOT_FOUND = 10059;
const NO_MESSAGE = 10037;
/** Marks the consumers of subscribers; the hub's own have no such thing. */
const WISH = "elara-wish";
const START = "elara-start";

const codeOf = (error: unknown): number =>
  error instanceof JetStreamApiError ? error.apiError().err_code : 0;

function read({ name, config }: ConsumerInfo): SubscriberConsumer | undefined {
  const wish = config.metadata?.[WISH];
  if (wish === undefined) return undefined;
  return {
    subscriber: name,
    filters: config.filter_subjects ?? (config.filter_subject ? [config.filter_subject] : []),
    wish: wish.split(" "),
    start: Number(config.metadata?.[START] ?? 1),
  };
}

async function startOf(start: Start, { streams }: JetStreamManager): Promise<Partial<ConsumerConfig>> {
  if (start.from === "all") return { deliver_policy: DeliverPolicy.All };
  if (start.from === "time") return { deliver_policy: DeliverPolicy.StartTime, opt_start_time: start.time };
  // JetStream's own `new` cannot be made to go back, as a wider filter may have to.
  const first =
    start.from === "sequence" ? start.sequence : (await streams.info(EVENT_STREAM)).state.last_seq + 1;
  return { deliver_policy: DeliverPolicy.StartSequence, opt_start_seq: first };
}

/** The consumers of subscribers on the stream of events, by JetStream's own interface. */
export function subscriberConsumers(live: () => NatsConnection): SubscriberConsumers {
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
    list: () =>
      withStream(async ({ consumers }) => {
        const all: SubscriberConsumer[] = [];
        for await (const info of consumers.list(EVENT_STREAM)) {
          const consumer = read(info);
          if (consumer) all.push(consumer);
        }
        return all;
      }),
    get: (subscriber) =>
      withStream(async ({ consumers }) => {
        try {
          return read(await consumers.info(EVENT_STREAM, subscriber));
        } catch (error) {
          if (codeOf(error) === CONSUMER_NOT_FOUND) return undefined;
          throw error;
        }
      }),
    make: (subscriber, { filters, wish, start }) =>
      withStream(async (manager) => {
        await remove(manager, subscriber);
        const made = await manager.consumers.add(EVENT_STREAM, {
          durable_name: subscriber,
          ack_policy: AckPolicy.Explicit,
          ack_wait: nanos(ACK_WAIT_MS),
          inactive_threshold: nanos(UNUSED_MS),
          max_ack_pending: 1000,
          max_waiting: 64,
          max_batch: 1000,
          filter_subjects: [...filters],
          metadata: { [WISH]: wish.join(" ") },
          ...(await startOf(start, manager)),
        });
        // Known only now: the server has found the place.
        await manager.consumers.update(EVENT_STREAM, subscriber, {
          metadata: { ...made.config.metadata, [START]: String(made.delivered.stream_seq + 1) },
        });
      }),
    refilter: ({ subscriber, filters: before, wish: wished, start }, filters, wish = wished) =>
      withStream(async (manager) => {
        const { delivered } = await manager.consumers.update(EVENT_STREAM, subscriber, {
          filter_subjects: [...filters],
          metadata: { [WISH]: wish.join(" "), [START]: String(start) },
        });
        const added = filters.filter((filter) => !before.includes(filter));
        const missed = await Promise.all(added.map((subject) => firstAfter(manager, subject, start)));
        const first = Math.min(...missed);
        // As it stands since the filters hold: before that it may have gone past what it was not to see yet.
        if (first > delivered.stream_seq) return;
        await manager.consumers.reset(EVENT_STREAM, subscriber, first);
      }),
    earliest: () =>
      withStream(async ({ streams }) => Math.max(1, (await streams.info(EVENT_STREAM)).state.first_seq)),
    remove: (subscriber) => withStream((manager) => remove(manager, subscriber)),
  };
}

/** The first message of a subject from a sequence on; Infinity when there is none. */
async function firstAfter(manager: JetStreamManager, subject: string, sequence: number): Promise<number> {
  try {
    // The server takes both, the library's type does not say so.
    const wanted = { seq: sequence, next_by_subj: subject } as SeqMsgRequest;
    const message = await manager.streams.getMessage(EVENT_STREAM, wanted);
    return message?.seq ?? Number.POSITIVE_INFINITY;
  } catch (error) {
    if (codeOf(error) === NO_MESSAGE) return Number.POSITIVE_INFINITY;
    throw error;
  }
}
