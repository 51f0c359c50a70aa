import {
  busPattern,
  busSubject,
  type CloudEvent,
  codeOf,
  type EventContract,
  HubError,
  type OrderContract,
  orderSubject,
} from "@elara/contracts";
import type { Logger } from "pino";
import type { Static } from "typebox";
import { type Clock, systemClock } from "../clock.ts";
import { within } from "../within.ts";
import type { Bus, SubscribeOptions, Subscription } from "./bus.ts";
import { Ear } from "./ear.ts";
import { decodeEvent, encodeEvent, envelope } from "./envelope.ts";
import { eventLog } from "./event-log.ts";
import { Inbox } from "./inbox.ts";
import { callOrder } from "./order-call.ts";
import { OrderDesk, type OrderHandler } from "./order-serve.ts";
import type { Wire } from "./wire.ts";

/** How long `close` waits for running handlers. */
const CLOSE_MS = 3000;

type Ids = { userId?: string; objectId?: string };

export interface BusOverOptions {
  readonly log: Logger;
  /** Stands as `source` in notices: `elara/{name}`. */
  readonly name: string;
  readonly clock?: Clock;
  /** Called as an order comes in; it may call `pause`, and then that order is dropped. */
  readonly beforeOrder?: () => void;
}

/** A bus whose queue groups can be left for a while, as a stalled process must. */
export interface PausableBus extends Bus {
  /**
   * Leaves the queue groups until `resume`. Orders that still come until then were on their way while this process
   * stood, and their callers may have given up: they are dropped, and the callers who wait repeat them.
   */
  pause(): void;
  /** Joins them again, unless `leave` was called. */
  resume(): void;
}

/** The bus over an adapter's wire: contracts checked on both sides, limits, queues, deadlines. */
export function busOver(
  wire: Wire,
  { log, name, clock = systemClock, beforeOrder }: BusOverOptions,
): PausableBus {
  const desks = new Set<Pick<OrderDesk<OrderContract>, "distrust">>();
  const ears = new Set<Ear>();
  const closed = new AbortController();
  let left = false;
  let paused = false;

  const open = (ear: Ear): Subscription => {
    ears.add(ear);
    if (ear.queue === undefined || !(left || paused)) ear.join();
    return {
      async close() {
        ears.delete(ear);
        await ear.end();
      },
    };
  };
  const queued = () => [...ears].filter((ear) => ear.queue !== undefined);

  return {
    get connected() {
      return wire.connected;
    },
    onChange: (listener) => wire.onChange(listener),
    events: eventLog(wire, log, closed.signal),

    async publish(contract: EventContract, event: CloudEvent, ids: Ids): Promise<void> {
      const bytes = encodeEvent(contract, event);
      const subject = busSubject(contract, ids.userId, ids.objectId);
      if (!wire.connected) throw new HubError("BUS_AWAY", { detail: { event: contract.type } });
      if (contract.kind === "fact") await wire.store(subject, bytes, event.id);
      else wire.send(subject, bytes);
    },

    notify<E extends EventContract>(contract: E, data: Static<E["data"]>, ids: Ids): void {
      try {
        const { userId = "", objectId = "" } = ids;
        const entity = contract.type.split(".", 1)[0] ?? "";
        const place = [userId && `users/${userId}`, objectId && `${entity}s/${objectId}`].filter(Boolean);
        const event = envelope(contract, data, {
          source: `elara/${name}`,
          subject: place.join("/") || entity,
          actor: `system:${name}`,
          at: Date.now(),
          partitionKey: userId || "-",
        });
        wire.send(busSubject(contract, userId, objectId), encodeEvent(contract, event));
      } catch (error) {
        if (codeOf(error) === "BUS_AWAY") return;
        log.error({ event: contract.type, err: error }, "notice not sent");
      }
    },

    subscribe<E extends EventContract>(
      contract: E,
      handler: (data: Static<E["data"]>, event: CloudEvent) => void | Promise<void>,
      options: SubscribeOptions = {},
    ): Subscription {
      const handle = async (bytes: Uint8Array) => {
        try {
          const { data, event } = decodeEvent(contract, bytes);
          await handler(data, event);
        } catch (error) {
          log.error({ event: contract.type, err: error }, "event not handled");
        }
      };
      const lagged = (dropped: number) => {
        log.warn({ event: contract.type, dropped }, "subscriber too slow, events dropped");
        try {
          options.lagged?.();
        } catch (error) {
          log.error({ event: contract.type, err: error }, "lagged not handled");
        }
      };
      const inbox = new Inbox<Uint8Array>(handle, lagged);
      return open(
        new Ear({
          queue: options.queue,
          listen: () => wire.listen(busPattern(contract), options.queue, (bytes) => inbox.push(bytes)),
          idle: () => inbox.idle(),
          close: () => inbox.close(),
        }),
      );
    },

    async request(contract, request, options) {
      return callOrder(wire, contract, request, options);
    },

    reply<O extends OrderContract>(contract: O, handler: OrderHandler<O>): Subscription {
      const desk = new OrderDesk<O>(contract, handler, { log, clock, beforeOrder });
      desks.add(desk);
      const service = contract.type.split(".", 1)[0] ?? contract.type;
      return open(
        new Ear({
          queue: service,
          listen: () => wire.listen(orderSubject(contract), service, desk.opened()),
          idle: () => desk.idle(),
          close: () => {
            desks.delete(desk);
            return desk.idle();
          },
        }),
      );
    },

    pause() {
      paused = true;
      for (const desk of desks) desk.distrust();
      for (const ear of queued()) void ear.part();
    },
    resume() {
      paused = false;
      if (!left) for (const ear of queued()) ear.join();
    },
    async leave() {
      left = true;
      await Promise.all(
        queued().map(async (ear) => {
          await ear.part();
          await ear.idle();
        }),
      );
    },
    async close() {
      left = true;
      closed.abort();
      const ended = await within(CLOSE_MS, Promise.all([...ears].map((ear) => ear.end())));
      if (!ended) log.warn({}, "bus closed over running handlers");
      ears.clear();
      await wire.close();
    },
  };
}
