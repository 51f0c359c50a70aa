import {
  type CloudEvent,
  collection,
  eventful,
  eventfulFields,
  eventfulIndexes,
  UserUpdated,
} from "@elara/contracts";
import { Type } from "typebox";
import type { Bus } from "../../src/bus/bus.ts";
import { systemClock } from "../../src/clock.ts";
import { eventOf, insertWithEvents } from "../../src/outbox.ts";
import type { Documents, PendingEvent } from "../../src/store/store.ts";

/** A collection with an outbox, for tests. */
export const things = collection({
  name: "things",
  owner: "auth",
  schema: Type.Object({ ...eventful, n: Type.Integer() }),
  fields: eventfulFields,
  indexes: eventfulIndexes,
});

/** An event of a thing. */
export const told = (id: string, name = ""): PendingEvent =>
  eventOf(UserUpdated, {
    hubId: "hub",
    subject: `users/${id}`,
    userId: id,
    objectId: "",
    actor: "system:test",
    data: { userId: id, name, changed: [] },
    clock: systemClock,
  });

/** A thing with this many events in its outbox. */
export const insertThing = (documents: Documents<typeof things>, id: string, events: number) =>
  documents.insert({
    ...insertWithEvents(
      { _id: id, v: 1, n: 0 },
      Array.from({ length: events }, () => told(id)),
    ),
  });

/** What a consumer keeps: per document what is newer than the last seen. */
export class Consumer {
  readonly last = new Map<string, number>();
  readonly gaps: string[] = [];
  /** Came for the first time behind a newer one of their document. */
  readonly late: string[] = [];
  readonly #seen = new Set<string>();
  received = 0;
  taken = 0;

  listen(bus: Bus): void {
    bus.subscribe(UserUpdated, (_, event) => this.take(event));
  }

  take({ id, subject, seq }: CloudEvent): void {
    this.received += 1;
    const last = this.last.get(subject) ?? 0;
    const isNew = !this.#seen.has(id);
    this.#seen.add(id);
    if (seq <= last) {
      if (isNew) this.late.push(`${subject}: ${seq} after ${last}`);
      return;
    }
    if (seq !== last + 1) this.gaps.push(`${subject}: ${last} → ${seq}`);
    this.last.set(subject, seq);
    this.taken += 1;
  }
}

/** Documents whose outbox is not empty. */
export const waiting = (documents: Documents<typeof things>): Promise<number> =>
  documents.count({ pendingSince: { gt: "" } });
