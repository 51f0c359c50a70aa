import {
  type Collection,
  collection,
  type Doc,
  eventful,
  eventfulFields,
  eventfulIndexes,
  eventfulStart,
  HubError,
  Time,
} from "@elara/contracts";
import { Type } from "typebox";
import { newId } from "../../id.ts";
import type { Documents, PendingEvent, Store } from "../store.ts";

/** What an adapter's test brings: one store, or several over the same data as replicas have. */
export interface StoreBench {
  readonly stores: readonly [Store, ...Store[]];
  close(): Promise<void>;
}

const schema = Type.Object({
  ...eventful,
  name: Type.String(),
  group: Type.String(),
  size: Type.Integer(),
  at: Time,
  flag: Type.Boolean(),
  tags: Type.Array(Type.String()),
  owner: Type.Object({ id: Type.String() }),
  free: Type.Record(Type.String(), Type.Unknown()),
  note: Type.Optional(Type.String()),
});

/** A collection with every kind of field and index, under a name of its own. */
export const probeCollection = () =>
  collection({
    name: `probe_${newId().replaceAll(/[^a-z]/g, "")}`,
    owner: "web",
    schema,
    fields: {
      ...eventfulFields,
      name: "string",
      group: "string",
      size: "number",
      at: "time",
      flag: "boolean",
      tags: "strings",
      "owner.id": "string",
    },
    indexes: [
      { fields: ["name"], unique: true },
      { fields: ["group", "size", "_id"] },
      { fields: ["size", "_id"] },
      { fields: ["at", "_id"] },
      { fields: ["flag", "_id"] },
      { fields: ["owner.id", "_id"] },
      ...eventfulIndexes,
    ],
  });

export type Probe = Collection<typeof schema>;
export type ProbeDoc = Doc<Probe>;
export type Probes = Documents<Probe>;

const NOON = "2026-11-22T12:00:00.000Z";

/** A document that fits, with the given fields in place of the plain ones. */
export function probe(fields: Partial<ProbeDoc> = {}): Omit<ProbeDoc, "rev"> {
  const id = fields._id ?? newId();
  const { rev: _, ...own } = fields;
  return {
    _id: id,
    v: 1,
    ...eventfulStart,
    name: id,
    group: "",
    size: 0,
    at: NOON,
    flag: false,
    tags: [],
    owner: { id: "" },
    free: {},
    ...own,
  };
}

/** An event for an outbox. */
export const pending = (id: string): PendingEvent => ({
  id,
  type: "probe.changed",
  userId: "",
  objectId: "",
  event: {
    specversion: "1.0",
    id,
    source: "probe",
    type: "probe.changed",
    subject: "probe",
    time: NOON,
    datacontenttype: "application/json",
    seq: 1,
    partitionkey: "-",
    actor: "suite",
    data: {},
  },
});

/** Events of a document, by their ids. */
export const pendingIds = (doc: ProbeDoc | undefined): unknown[] =>
  (doc?.pendingEvents ?? []).map((event) =>
    typeof event === "object" && event !== null && "id" in event ? event.id : undefined,
  );

/** For assert.rejects: a HubError of this code. */
export const refusal = (code: string) => (error: unknown) => error instanceof HubError && error.code === code;

/** The bench of the running suite. */
export type Opened = () => StoreBench;

/** A new, empty collection of the first store. */
export const fresh = (opened: Opened): Probes => opened().stores[0].collection(probeCollection());

/** A new, empty collection as each of the replicas sees it. */
export function replicas(opened: Opened): Probes[] {
  const declaration = probeCollection();
  return opened().stores.map((store) => store.collection(declaration));
}

/** Inserts many documents, 50 at a time: on a busy machine more would wait for each other beyond the store's 2 s. */
export async function insertAll(probes: Probes, docs: readonly Omit<ProbeDoc, "rev">[]): Promise<ProbeDoc[]> {
  const inserted: ProbeDoc[] = [];
  for (let from = 0; from < docs.length; from += 50)
    inserted.push(...(await Promise.all(docs.slice(from, from + 50).map((doc) => probes.insert(doc)))));
  return inserted;
}
