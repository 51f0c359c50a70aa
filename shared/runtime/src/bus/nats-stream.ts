import { HubError } from "@elara/contracts";
import {
  DeliverPolicy,
  DiscardPolicy,
  JetStreamApiError,
  type JetStreamClient,
  JetStreamError,
  type JetStreamManager,
  jetstream,
  jetstreamManager,
  RetentionPolicy,
  StorageType,
} from "@nats-io/jetstream";
import { type NatsConnection, nanos, RequestError, TimeoutError } from "@nats-io/transport-node";
import type { Clock } from "../clock.ts";
import { FACTS_KEPT_BYTES, FACTS_KEPT_MS, type FactLog, type KeptFact } from "./wire.ts";

/** The stream that keeps the facts; made on demand, left as it is when an administrator has changed it. */
export const EVENT_STREAM = "elara-events";
const SUBJECTS = ["hub.ev.v1.>"];
const ACK_MS = 2000;
/** Messages held for one reader. */
const AHEAD = 100;
export const STREAM_NOT_FOUND = 10059;
const STREAM_NAME_IN_USE = 10058;

// Without JetStream nobody answers; the library wraps that in an error it does not export.
const isRefusal = (error: unknown): boolean =>
  error instanceof JetStreamApiError ||
  error instanceof JetStreamError ||
  (error instanceof RequestError && error.isNoResponders()) ||
  (error instanceof Error && error.cause !== undefined && isRefusal(error.cause));

/** The first fact that is kept and the last there ever was. */
export async function spanOf({ streams }: JetStreamManager): Promise<{ first: number; last: number }> {
  const { state } = await streams.info(EVENT_STREAM);
  return { first: state.messages === 0 ? state.last_seq + 1 : state.first_seq, last: state.last_seq };
}

/** The stream over one connection: facts go in, and are read again. Made when it is not there. */
export class EventStream {
  readonly #connection: NatsConnection;
  readonly #client: JetStreamClient;
  readonly #clock: Clock;
  #made: Promise<void> | undefined;

  constructor(connection: NatsConnection, clock: Clock) {
    this.#connection = connection;
    this.#clock = clock;
    this.#client = jetstream(connection, { timeout: ACK_MS });
  }

  /** Looks again before the next publishing whether the stream is there: the server may be another one. */
  forget(): void {
    this.#made = undefined;
  }

  /** Resolves when acknowledged. Throws BUS_TIMEOUT, BUS_STREAM_MISSING. */
  async publish(subject: string, bytes: Uint8Array, id: string): Promise<void> {
    await this.#asked(() => this.#client.publish(subject, bytes, { msgID: id }));
  }

  /** As `spanOf`. Throws BUS_TIMEOUT, BUS_STREAM_MISSING, BUS_AWAY. */
  async span(): Promise<{ first: number; last: number }> {
    return this.#asked(async () =>
      spanOf(await jetstreamManager(this.#connection, { timeout: ACK_MS, checkAPI: false })),
    );
  }

  /** Kept facts behind a sequence, then those that come, until the signal aborts or the connection is gone. */
  async *read({ after, patterns, signal }: Parameters<FactLog["read"]>[0]): AsyncGenerator<KeptFact> {
    // Ordered: the library begins anew behind the last message when it misses one.
    const messages = await this.#asked(async () => {
      const consumer = await this.#client.consumers.get(EVENT_STREAM, {
        filter_subjects: [...patterns],
        deliver_policy: DeliverPolicy.StartSequence,
        opt_start_seq: after + 1,
      });
      return consumer.consume({ max_messages: AHEAD });
    });
    const stop = (): void => messages.stop();
    signal.addEventListener("abort", stop, { once: true });
    if (signal.aborted) stop();
    try {
      for await (const { seq, subject, data } of messages) yield { sequence: seq, subject, bytes: data };
    } finally {
      signal.removeEventListener("abort", stop);
      stop();
    }
  }

  async #asked<T>(ask: () => Promise<T>): Promise<T> {
    try {
      this.#made ??= this.#make();
      await this.#made;
      return await ask();
    } catch (error) {
      throw this.#refusal(error);
    }
  }

  #refusal(error: unknown): HubError {
    this.#made = undefined;
    if (error instanceof TimeoutError) return new HubError("BUS_TIMEOUT", { cause: error });
    return new HubError(isRefusal(error) ? "BUS_STREAM_MISSING" : "BUS_AWAY", { cause: error });
  }

  async #make(): Promise<void> {
    const { streams } = await jetstreamManager(this.#connection, { timeout: ACK_MS, checkAPI: false });
    const isCode = (error: unknown, code: number): boolean =>
      error instanceof JetStreamApiError && error.apiError().err_code === code;
    try {
      await streams.info(EVENT_STREAM);
    } catch (error) {
      if (!isCode(error, STREAM_NOT_FOUND)) throw error;
      await streams
        .add({
          name: EVENT_STREAM,
          subjects: SUBJECTS,
          retention: RetentionPolicy.Limits,
          storage: StorageType.File,
          discard: DiscardPolicy.Old,
          max_age: nanos(FACTS_KEPT_MS),
          max_bytes: FACTS_KEPT_BYTES,
          duplicate_window: nanos(120_000),
          // Positions of a log before this one are behind its first: nobody goes on in the wrong log.
          first_seq: this.#clock.now(),
        })
        // Another process was first.
        .catch((error: unknown) => {
          if (!isCode(error, STREAM_NAME_IN_USE)) throw error;
        });
    }
  }
}
