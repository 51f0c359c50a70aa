import { HubError } from "@elara/contracts";
import {
  DiscardPolicy,
  JetStreamApiError,
  type JetStreamClient,
  JetStreamError,
  jetstream,
  jetstreamManager,
  RetentionPolicy,
  StorageType,
} from "@nats-io/jetstream";
import { type NatsConnection, nanos, RequestError, TimeoutError } from "@nats-io/transport-node";

/** The stream that keeps the facts; made on demand, left as it is when an administrator has changed it. */
export const EVENT_STREAM = "elara-events";
const SUBJECTS = ["hub.ev.v1.>"];
const KEPT_MS = 14 * 86_400_000;
const KEPT_BYTES = 512 * 1024 * 1024;
const ACK_MS = 2000;
const STREAM_NOT_FOUND = 10059;

// Without JetStream nobody answers; the library wraps that in an error it does not export.
const isRefusal = (error: unknown): boolean =>
  error instanceof JetStreamApiError ||
  error instanceof JetStreamError ||
  (error instanceof RequestError && error.isNoResponders()) ||
  (error instanceof Error && error.cause !== undefined && isRefusal(error.cause));

/** Publishes into the stream and waits until it has them. */
export class EventStream {
  readonly #connection: NatsConnection;
  readonly #client: JetStreamClient;
  #made: Promise<void> | undefined;

  constructor(connection: NatsConnection) {
    this.#connection = connection;
    this.#client = jetstream(connection, { timeout: ACK_MS });
  }

  /** Looks again before the next publishing whether the stream is there: the server may be another one. */
  forget(): void {
    this.#made = undefined;
  }

  /** Resolves when acknowledged. Throws BUS_TIMEOUT, BUS_STREAM_MISSING. */
  async publish(subject: string, bytes: Uint8Array, id: string): Promise<void> {
    try {
      this.#made ??= this.#make();
      await this.#made;
      await this.#client.publish(subject, bytes, { msgID: id });
    } catch (error) {
      this.#made = undefined;
      if (error instanceof TimeoutError) throw new HubError("BUS_TIMEOUT", { cause: error });
      throw new HubError(isRefusal(error) ? "BUS_STREAM_MISSING" : "BUS_AWAY", { cause: error });
    }
  }

  async #make(): Promise<void> {
    const { streams } = await jetstreamManager(this.#connection, { timeout: ACK_MS, checkAPI: false });
    try {
      await streams.info(EVENT_STREAM);
    } catch (error) {
      if (!(error instanceof JetStreamApiError) || error.apiError().err_code !== STREAM_NOT_FOUND)
        throw error;
      await streams.add({
        name: EVENT_STREAM,
        subjects: SUBJECTS,
        retention: RetentionPolicy.Limits,
        storage: StorageType.File,
        discard: DiscardPolicy.Old,
        max_age: nanos(KEPT_MS),
        max_bytes: KEPT_BYTES,
        duplicate_window: nanos(120_000),
      });
    }
  }
}
