import type { AnswerOf, CloudEvent, EventContract, OrderContract, RequestOf } from "@elara/contracts";
import type { Static } from "typebox";

/** 256 KiB: more is refused with BUS_MESSAGE_TOO_LARGE. */
export const MAX_MESSAGE_BYTES = 256 * 1024;
/** An order's deadline and when it is repeated with the same id. */
export const ORDER_DEADLINE_MS = 2000;
export const ORDER_REPEATS_MS = [300, 1000] as const;
/** Messages waiting for one subscription's handler; beyond it the oldest are dropped and `lagged` is called. */
export const MAX_WAITING = 1000;

export interface Subscription {
  /** No more messages; resolves when the running handler is done. */
  close(): Promise<void>;
}

export interface SubscribeOptions {
  /** Members of a queue share the messages: each goes to one of them. */
  readonly queue?: string;
  /** Called when messages were dropped because this subscriber was too slow. Re-read what you need. */
  readonly lagged?: () => void;
}

/** How an order is given. */
export interface RequestOptions {
  /** One id for all that asks for the same thing; default: a new one. */
  readonly orderId?: string;
  readonly signal?: AbortSignal;
  /** W3C traceparent of the span that what is ordered is part of; default: the span that runs now. */
  readonly traceparent?: string;
}

/** What an order brings beside its request. */
export interface OrderMeta {
  readonly orderId: string;
  /** W3C traceparent of the span that gave the order; "" when nobody traces. */
  readonly traceparent: string;
}

/** A fact as it is kept, with its place in the log. */
export interface StoredEvent {
  /** Cursor: where to go on after this event. */
  readonly position: string;
  readonly event: CloudEvent;
  /** Ids of the subject it came under; "" where there is none. */
  readonly userId: string;
  readonly objectId: string;
}

export interface ReadEvents {
  /** A position: what came behind it. "0": all that is kept. Absent: what comes from now on. */
  readonly after?: string;
  /** Contract types, `server.ready`; default: all. */
  readonly types?: readonly string[];
  /** Ends the reading. */
  readonly signal: AbortSignal;
}

/** The facts, kept for 14 days or 512 MB: every one that `publish` has acknowledged, in that order. */
export interface EventLog {
  /**
   * Kept facts, then those that come, until the signal aborts or the bus is closed. Goes on by itself after an outage of the bus. At most
   * about a hundred are held for a slow reader. An old event may stand behind newer ones of its document: drop `seq` not above the last seen.
   * Throws EVENTS_CURSOR_INVALID, EVENTS_CURSOR_EXPIRED (also when the reader falls behind what is kept), and at the
   * beginning BUS_AWAY, BUS_TIMEOUT, BUS_STREAM_MISSING.
   */
  read(options: ReadEvents): AsyncIterable<StoredEvent>;
  /** The earliest position one may go on after, and the latest there is. Throws BUS_AWAY, BUS_TIMEOUT, BUS_STREAM_MISSING. */
  span(): Promise<{ readonly earliest: string; readonly latest: string }>;
}

/** The message bus. Two adapters keep the same promises: `memory` and `nats`; one suite, `conformance.ts`, runs on both. */
export interface Bus {
  /**
   * Sends an event. Facts resolve when the bus has acknowledged them, notices when handed over.
   * Throws BUS_AWAY at once while disconnected, BUS_MESSAGE_TOO_LARGE, BUS_MESSAGE_INVALID.
   */
  publish(
    contract: EventContract,
    event: CloudEvent,
    ids: { userId?: string; objectId?: string },
  ): Promise<void>;
  /** Sends a notice made of `data` alone (envelope filled in, `seq` 0). Never throws; what cannot be sent is lost. */
  notify<E extends EventContract>(
    contract: E,
    data: Static<E["data"]>,
    ids: { userId?: string; objectId?: string },
  ): void;
  /**
   * Events of one contract, of everybody. One at a time per subscription, in the order they arrived.
   * A handler that throws is logged and the message is gone: events only hasten, the store is the truth.
   */
  subscribe<E extends EventContract>(
    contract: E,
    handler: (data: Static<E["data"]>, event: CloudEvent) => void | Promise<void>,
    options?: SubscribeOptions,
  ): Subscription;
  /**
   * Orders something and waits for *accepted*. Repeats with the same order id, gives up after 2 s. Throws the replier's
   * HubError (code, message, status, retryable), BUS_AWAY, BUS_NO_RESPONDERS or BUS_TIMEOUT.
   */
  request<O extends OrderContract>(
    contract: O,
    request: RequestOf<O>,
    options?: RequestOptions,
  ): Promise<AnswerOf<O>>;
  /** Takes orders, sharing them with the other replicas of the service. A handler must be safe to call twice with one order id. */
  reply<O extends OrderContract>(
    contract: O,
    handler: (request: RequestOf<O>, meta: OrderMeta) => Promise<AnswerOf<O>>,
  ): Subscription;
  /** Facts of the past and those that come. */
  readonly events: EventLog;
  /** Whether messages can be sent now. */
  readonly connected: boolean;
  /** Called on every change of `connected`; after a reconnect re-read marks, routes and own orders. Returns the way out. */
  onChange(listener: (connected: boolean) => void): () => void;
  /** Leaves every queue group, so that no new order or event of a queue arrives; in-flight handlers finish. */
  leave(): Promise<void>;
  /** Ends everything, flushing what was published. */
  close(): Promise<void>;
}
