import { codeOf, type EventContract, events } from "@elara/contracts";
import type { Logger } from "pino";
import { type Static, Type } from "typebox";
import { Compile } from "typebox/compile";
import type { Bus } from "./bus/bus.ts";
import type { Clock } from "./clock.ts";
import { isAway } from "./is-away.ts";
import { PendingEventRecord } from "./outbox.ts";
import type { Documents } from "./store/store.ts";
import { within } from "./within.ts";

/** How often the outboxes are looked at without a nudge. */
const EVERY_MS = 1000;
/** How long `close` goes on sending. */
const CLOSE_MS = 5000;
/** Documents sent side by side; the events of one document go one after the other. */
const SIDE_BY_SIDE = 16;

const OutboxDocument = Type.Object({
  _id: Type.String(),
  rev: Type.Integer(),
  deletedAt: Type.String(),
  pendingEvents: Type.Array(PendingEventRecord),
});
type OutboxDocument = Static<typeof OutboxDocument>;
type Pending = Static<typeof PendingEventRecord>;
const outboxDocument = Compile(OutboxDocument);

const contracts = new Map<string, EventContract>(Object.values(events).map((event) => [event.type, event]));

/** What the relay needs of a collection with an outbox. */
export type OutboxDocuments = Pick<Documents, "find" | "settle" | "delete">;

export interface RelayOptions {
  readonly bus: Bus;
  readonly documents: readonly OutboxDocuments[];
  readonly log: Logger;
  readonly clock: Clock;
  /** Tombstones to leave when their events are out; the owner removes them later. Default: none. */
  readonly keep?: (doc: { readonly _id: string }) => boolean;
}

export interface Relay {
  /** Something was written: look now. */
  nudge(): void;
  /** Sends what waits, for 5 s at most, and ends. */
  close(): Promise<void>;
}

/**
 * Sends the outboxes: a document's events oldest first, each acknowledged before the next, then settled. At least
 * once: a relay that ends between sending and settling, or two at the same document, send twice. Removes tombstones
 * once their events are out.
 */
export function startRelay({ bus, documents, log, clock, keep = () => false }: RelayOptions): Relay {
  let running: Promise<void> | undefined;
  let again = false;
  let stopAt = Number.POSITIVE_INFINITY;
  const over = () => clock.monotonic() >= stopAt;

  /** The events sent and, when it ended early, why. */
  const send = async (pendings: readonly Pending[]): Promise<{ sent: Pending[]; failed?: unknown }> => {
    const sent: Pending[] = [];
    for (const pending of pendings) {
      const contract = contracts.get(pending.type);
      try {
        // A newer replica wrote it and will send it.
        if (contract === undefined) throw new Error("event type is not known to this version");
        await bus.publish(contract, pending.event, pending);
      } catch (failed) {
        const code = codeOf(failed);
        if (code !== "BUS_MESSAGE_INVALID" && code !== "BUS_MESSAGE_TOO_LARGE") return { sent, failed };
        // It can never be sent, and would hold back all that follow it for ever.
        log.error({ event: pending.type, eventId: pending.id, err: failed }, "event dropped from outbox");
      }
      sent.push(pending);
    }
    return { sent };
  };

  const empty = async (collection: OutboxDocuments, doc: OutboxDocument): Promise<void> => {
    const { sent, failed } = await send(doc.pendingEvents);
    if (failed === undefined && doc.deletedAt !== "" && !keep(doc)) {
      // Instead of settling: a relay that ends here leaves a tombstone that will be found again.
      if (await collection.delete(doc._id, doc.rev)) return;
    } else if (sent.length > 0 || doc.pendingEvents.length === 0) {
      // Without events: a settling that ended half way left `pendingSince` behind.
      await collection.settle(
        doc._id,
        sent.map((pending) => pending.id),
      );
    }
    if (failed !== undefined) throw failed;
  };

  const relayed = async (collection: OutboxDocuments, doc: unknown): Promise<void> => {
    if (!outboxDocument.Check(doc)) {
      throw new Error(`outbox not readable: ${JSON.stringify(outboxDocument.Errors(doc).slice(0, 3))}`);
    }
    await empty(collection, doc);
  };

  // The outboxes wait and are tried again each second: the same complaint once.
  let complaint = "";
  let complained = false;
  const complain = (error: unknown): void => {
    complained = true;
    const text = codeOf(error) || String(error);
    if (text !== complaint) log.warn({ code: codeOf(error), err: error }, "events wait in outbox");
    complaint = text;
  };

  const sweep = async (collection: OutboxDocuments): Promise<void> => {
    let after: string | undefined;
    do {
      const page = await collection.find({
        where: { pendingSince: { gt: "" } },
        sort: { by: ["pendingSince", "_id"] },
        limit: 100,
        ...(after === undefined ? {} : { after }),
      });
      for (let from = 0; from < page.items.length && !over(); from += SIDE_BY_SIDE) {
        const batch = page.items.slice(from, from + SIDE_BY_SIDE);
        const done = await Promise.allSettled(batch.map((doc) => relayed(collection, doc)));
        for (const result of done) if (result.status === "rejected") complain(result.reason);
        // One document's trouble must not hold back the others; bus or store away is everybody's.
        if (done.some((result) => result.status === "rejected" && isAway(result.reason))) return;
      }
      after = page.next;
    } while (after !== undefined && !over());
  };

  const pass = async (): Promise<void> => {
    complained = false;
    for (const collection of documents) await sweep(collection).catch(complain);
    if (!complained) complaint = "";
  };

  const run = (): void => {
    again = true;
    running ??= (async () => {
      // Writes of this turn are gathered into one look.
      await new Promise(setImmediate);
      while (again && !over()) {
        again = false;
        await pass();
      }
      running = undefined;
    })();
  };

  const timer = setInterval(run, EVERY_MS);
  const unlisten = bus.onChange((connected) => {
    if (connected) run();
  });
  run();

  return {
    nudge: run,
    async close() {
      clearInterval(timer);
      unlisten();
      stopAt = clock.monotonic() + CLOSE_MS;
      run();
      if (running !== undefined) await within(CLOSE_MS, running);
      stopAt = Number.NEGATIVE_INFINITY;
    },
  };
}
