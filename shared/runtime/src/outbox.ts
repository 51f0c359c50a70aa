import { CloudEvent, type EventContract } from "@elara/contracts";
import { type Static, Type } from "typebox";
import { encodeEvent, envelope } from "./bus/envelope.ts";
import type { Clock } from "./clock.ts";
import type { Change, PendingEvent } from "./store/store.ts";

export interface EventOptions<E extends EventContract> {
  readonly hubId: string;
  /** The document the event tells of; its counter is read again by `withEvents`. */
  readonly doc?: { readonly seq: number };
  /** `users/{userId}`, `users/{userId}/servers/{serverId}`. */
  readonly subject: string;
  /** "" where there is none. */
  readonly userId: string;
  readonly objectId: string;
  /** `user:{id}`, `service:{name}`, `system:culler`. */
  readonly actor: string;
  readonly data: Static<E["data"]>;
  readonly clock: Clock;
  /** Id of the event or order that caused it. */
  readonly causationId?: string;
}

/**
 * An event for the outbox. Throws BUS_MESSAGE_INVALID or BUS_MESSAGE_TOO_LARGE here, before the change is written:
 * what stands in an outbox can be sent.
 */
export function eventOf<E extends EventContract>(contract: E, options: EventOptions<E>): PendingEvent {
  const { userId, objectId, causationId } = options;
  const event = envelope(contract, options.data, {
    source: `elara/${options.hubId}`,
    subject: options.subject,
    actor: options.actor,
    at: options.clock.now(),
    partitionKey: userId || objectId || "-",
    ...(causationId === undefined ? {} : { causationId }),
  });
  encodeEvent(contract, event);
  return {
    id: event.id,
    type: contract.type,
    userId,
    objectId,
    event: { ...event, seq: (options.doc?.seq ?? 0) + 1 },
  };
}

/** Fields a document with an outbox has beside its own. */
interface Outbox {
  readonly seq: number;
}

const numbered = (seq: number, events: readonly PendingEvent[]): PendingEvent[] =>
  events.map((pending, index) => ({ ...pending, event: { ...pending.event, seq: seq + index + 1 } }));

type Settable<D> = Change<D>["set"];

/** A change and its events as one write: raises `seq`, gives each event its own. For `docs.patch(doc._id, doc.rev, …)`. */
export function withEvents<D extends Outbox>(
  doc: D,
  set: Settable<D>,
  events: readonly PendingEvent[],
): Change<D> {
  const list = numbered(doc.seq, events);
  const [first] = list;
  if (first === undefined) return { set };
  return { set: { ...set, seq: doc.seq + list.length }, events: { at: first.event.time, list } };
}

/** A new document with its first events in the outbox. For `docs.insert(…)`. */
export function insertWithEvents<D extends object>(doc: D, events: readonly PendingEvent[]) {
  const pendingEvents = numbered(0, events);
  return {
    ...doc,
    seq: pendingEvents.length,
    pendingEvents,
    pendingSince: pendingEvents[0]?.event.time ?? "",
    deletedAt: "",
  };
}

/** A pending event as it stands in a document; what the relay accepts. */
export const PendingEventRecord = Type.Object({
  id: Type.String({ minLength: 1 }),
  type: Type.String(),
  userId: Type.String(),
  objectId: Type.String(),
  event: CloudEvent,
});
