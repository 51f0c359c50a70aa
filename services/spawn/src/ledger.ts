import {
  HubError,
  type Server,
  ServerChanged,
  ServerCreated,
  ServerDeleted,
  servers,
} from "@elara/contracts";
import type { Bus } from "@elara/runtime/bus/bus";
import { type Clock, timestamp } from "@elara/runtime/clock";
import { eventOf, insertWithEvents, withEvents } from "@elara/runtime/outbox";
import type { Documents, PendingEvent, Query, Store } from "@elara/runtime/store/store";
import type { Decision, EventMaker, ServerDoc } from "./decision.ts";
import { eventData } from "./event-data.ts";
import { mayFollow } from "./phases.ts";
import { untold } from "./untold.ts";

/** How often a change is decided anew when somebody else was faster. */
const ATTEMPTS = 12;

/** Whether the backend's handle is stored. */
export const hasHandle = (doc: Pick<Server, "handle">): boolean => Object.keys(doc.handle).length > 0;

/** The driver of a server at rest. */
export const noDriver = { instance: "", epoch: 0 };

/** The server ledger: the only place that writes `servers`. Every change is a compare and swap, with its events in one write. */
export interface Ledger {
  /** The document; tombstones are not there. */
  read(id: string): Promise<ServerDoc | undefined>;
  /** Also finds tombstones: their name is still taken. */
  byName(userId: string, name: string): Promise<ServerDoc | undefined>;
  /** All that match, page by page, without tombstones. */
  all(query: Query): AsyncGenerator<ServerDoc>;
  count(where: NonNullable<Query["where"]>): Promise<number>;
  /** A new document. Throws STORE_CONFLICT when the name is taken. */
  insert(doc: Omit<ServerDoc, "rev">, events: readonly PendingEvent[]): Promise<ServerDoc>;
  /** One step from exactly this document; undefined when it moved meanwhile. */
  move(doc: ServerDoc, decision: Decision): Promise<ServerDoc | undefined>;
  /** Decides on the newest document until the write succeeds; undefined when `decide` wants nothing, or it is gone. */
  change(id: string, decide: (doc: ServerDoc) => Decision | undefined): Promise<ServerDoc | undefined>;
  /** Deleting is a change: a tombstone, removed by the relay when its events are out. */
  tombstone(doc: ServerDoc, actor: string): Decision;
  /** An event about this server, for `move` and `insert`. */
  readonly event: EventMaker;
  /** Called after every own write, in this process. */
  onMoved(listener: (doc: ServerDoc) => void): void;
}

interface LedgerOptions {
  readonly store: Store;
  readonly bus: Bus;
  readonly clock: Clock;
  readonly hubId: string;
  /** Something is in an outbox: send it. */
  readonly nudge: () => void;
}

/** Opens the ledger. */
export function openLedger({ store, bus, clock, hubId, nudge }: LedgerOptions): Ledger & {
  readonly documents: Documents<typeof servers>;
} {
  const documents = store.collection(servers);
  const listeners: ((doc: ServerDoc) => void)[] = [];

  const tell = (doc: ServerDoc, hasEvents: boolean): ServerDoc => {
    if (hasEvents) nudge();
    bus.notify(
      ServerChanged,
      { userId: doc.userId, serverId: doc._id, path: doc.path, routed: doc.routed, url: doc.url },
      { userId: doc.userId, objectId: doc._id },
    );
    for (const listener of listeners) listener(doc);
    return doc;
  };

  const read = async (id: string) => {
    const doc = await documents.get(id);
    return doc && doc.deletedAt === "" ? doc : undefined;
  };

  const move = async (doc: ServerDoc, { set, events = [] }: Decision) => {
    if (set.phase !== undefined && !mayFollow(doc.phase, set.phase))
      throw new HubError("INTERNAL", { detail: `no way from ${doc.phase} to ${set.phase}` });
    // Readers look for what changed since a time: it must not go backwards when clocks differ.
    const now = timestamp(clock.now());
    const changedAt = [now, doc.changedAt].sort().at(-1) ?? now;
    const all = [...events, ...untold(doc, { set, events }, event)];
    const moved = await documents.patch(doc._id, doc.rev, withEvents(doc, { ...set, changedAt }, all));
    return moved && tell(moved, all.length > 0);
  };

  const event: Ledger["event"] = (contract, doc, data, actor) =>
    eventOf(contract, {
      hubId,
      doc,
      subject: `users/${doc.userId}/servers/${doc._id}`,
      userId: doc.userId,
      objectId: doc._id,
      actor,
      data,
      clock,
    });

  return {
    documents,
    read,
    move,
    event,
    async byName(userId, name) {
      const page = await documents.find({ where: { userId, name }, limit: 1 });
      return page.items[0];
    },
    async *all(query) {
      for (let after: string | undefined; ; ) {
        const page = await documents.find({ ...query, ...(after === undefined ? {} : { after }) });
        for (const doc of page.items) if (doc.deletedAt === "") yield doc;
        if (page.next === undefined) return;
        after = page.next;
      }
    },
    count: (where) => documents.count(where),
    async insert(doc, events) {
      const created = event(ServerCreated, doc, eventData(doc), `user:${doc.userId}`);
      return tell(await documents.insert(insertWithEvents(doc, [created, ...events])), true);
    },
    async change(id, decide) {
      for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
        const doc = await read(id);
        const decision = doc && decide(doc);
        if (!doc || !decision) return undefined;
        const moved = await move(doc, decision);
        if (moved) return moved;
      }
      throw new HubError("STORE_CONFLICT", { detail: `server ${id} kept moving` });
    },
    tombstone: (doc, actor) => ({
      set: { deletedAt: timestamp(clock.now()), inMotion: false, driver: noDriver, routed: false, url: "" },
      events: [event(ServerDeleted, doc, eventData(doc), actor)],
    }),
    onMoved: (listener) => void listeners.push(listener),
  };
}
