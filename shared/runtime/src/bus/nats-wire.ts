import { HubError } from "@elara/contracts";
import {
  type NatsConnection,
  type NodeConnectionOptions,
  RequestError,
  type Subscription,
  TimeoutError,
} from "@nats-io/transport-node";
import type { Logger } from "pino";
import type { Clock } from "../clock.ts";
import { within } from "../within.ts";
import { dialForEver } from "./dial.ts";
import { EventStream } from "./nats-stream.ts";
import type { FactLog, OnMessage, Wire } from "./wire.ts";

const FLUSH_MS = 2000;

interface Listener {
  readonly pattern: string;
  readonly queue: string | undefined;
  readonly onMessage: OnMessage;
  subscription: Subscription | undefined;
}

interface Line {
  readonly connection: NatsConnection;
  readonly stream: EventStream;
}

/** A connection to NATS that is kept for ever: also the first one, also after the client library has given up. */
export class NatsWire implements Wire {
  readonly #log: Logger;
  readonly #clock: Clock;
  readonly #listeners = new Set<Listener>();
  readonly #watchers = new Set<(connected: boolean) => void>();
  readonly #ended = new AbortController();
  #line: Line | undefined;
  #connected = false;

  constructor(options: NodeConnectionOptions, log: Logger, clock: Clock) {
    this.#log = log;
    this.#clock = clock;
    void dialForEver(options, log, this.#ended.signal, (connection) => this.#use(connection));
  }

  get connected(): boolean {
    return this.#connected;
  }

  onChange(listener: (connected: boolean) => void): () => void {
    this.#watchers.add(listener);
    return () => this.#watchers.delete(listener);
  }

  send(subject: string, bytes: Uint8Array): void {
    this.#live().connection.publish(subject, bytes);
  }

  async store(subject: string, bytes: Uint8Array, id: string): Promise<void> {
    try {
      await this.#live().stream.publish(subject, bytes, id);
    } catch (error) {
      throw this.#connected ? error : new HubError("BUS_AWAY", { cause: error });
    }
  }

  async ask(subject: string, bytes: Uint8Array, timeoutMs: number): Promise<Uint8Array> {
    const { connection } = this.#live();
    try {
      return (await connection.request(subject, bytes, { timeout: timeoutMs })).data;
    } catch (cause) {
      if (cause instanceof RequestError && cause.isNoResponders()) {
        throw new HubError("BUS_NO_RESPONDERS", { cause });
      }
      throw new HubError(cause instanceof TimeoutError ? "BUS_TIMEOUT" : "BUS_AWAY", { cause });
    }
  }

  listen(pattern: string, queue: string | undefined, onMessage: OnMessage): () => Promise<void> {
    const listener: Listener = { pattern, queue, onMessage, subscription: undefined };
    this.#listeners.add(listener);
    if (this.#line !== undefined) this.#subscribe(this.#line.connection, listener);
    return async () => {
      this.#listeners.delete(listener);
      const { subscription } = listener;
      if (subscription === undefined || subscription.isClosed()) return;
      // Draining waits for an answer of the server.
      if (this.#connected)
        await within(
          FLUSH_MS,
          subscription.drain().catch(() => {}),
        );
      if (!subscription.isClosed()) subscription.unsubscribe();
    };
  }

  readonly facts: FactLog = {
    span: async () => this.#live().stream.span(),
    read: (options) => this.#live().stream.read(options),
  };

  async close(): Promise<void> {
    this.#ended.abort();
    const line = this.#line;
    const wasConnected = this.#connected;
    this.#change(false);
    if (line === undefined) return;
    if (wasConnected)
      await within(
        FLUSH_MS,
        line.connection.flush().catch(() => {}),
      );
    await line.connection.close();
  }

  #live(): Line {
    if (!this.#connected || this.#line === undefined) throw new HubError("BUS_AWAY");
    return this.#line;
  }

  #change(connected: boolean): void {
    if (this.#connected === connected) return;
    this.#connected = connected;
    for (const watcher of this.#watchers) watcher(connected);
  }

  /** Resolves when the library has given the connection up. */
  async #use(connection: NatsConnection): Promise<void> {
    this.#line = { connection, stream: new EventStream(connection, this.#clock) };
    for (const listener of this.#listeners) this.#subscribe(connection, listener);
    this.#log.info({ server: connection.getServer() }, "bus connected");
    this.#change(true);
    void this.#follow(connection);
    const reason = await connection.closed();
    this.#line = undefined;
    this.#change(false);
    if (!this.#ended.signal.aborted) this.#log.error({ err: reason }, "bus connection ended");
  }

  async #follow(connection: NatsConnection): Promise<void> {
    for await (const status of connection.status()) {
      if (this.#ended.signal.aborted) return;
      if (status.type === "disconnect") {
        this.#log.warn({ server: status.server }, "bus lost");
        this.#change(false);
      } else if (status.type === "reconnect") {
        this.#line?.stream.forget();
        this.#log.info({ server: status.server }, "bus connected again");
        this.#change(true);
      } else if (status.type === "error") {
        this.#log.error({ err: status.error }, "bus refused something");
      }
    }
  }

  #subscribe(connection: NatsConnection, listener: Listener): void {
    listener.subscription = connection.subscribe(listener.pattern, {
      ...(listener.queue === undefined ? {} : { queue: listener.queue }),
      callback: (error, message) => {
        if (error) {
          this.#log.error({ subject: listener.pattern, err: error }, "subscription refused");
          return;
        }
        listener.onMessage(message.data, (answer) => {
          try {
            message.respond(answer);
          } catch (cause) {
            this.#log.debug({ subject: listener.pattern, err: cause }, "answer not sent");
          }
        });
      },
    });
  }
}
