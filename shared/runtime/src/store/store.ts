import type { CloudEvent, Collection, Doc } from "@elara/contracts";

export type Scalar = string | number | boolean;

/** Condition on one declared field: a value, or one operator. null, undefined, NaN, objects and arrays are refused. */
export type Condition =
  | Scalar
  | { readonly in: readonly Scalar[] }
  | { readonly gt: string | number }
  | { readonly gte: string | number }
  | { readonly lt: string | number }
  | { readonly lte: string | number }
  | { readonly gte: string | number; readonly lt: string | number }
  | { readonly ne: Scalar }
  | { readonly has: string };

/** Fields are and-ed. `and` and `or` hold further filters. `_id` may be asked for like a declared string field. */
export type Filter = { readonly [field: string]: Condition | readonly Filter[] | undefined } & {
  readonly and?: readonly Filter[];
  readonly or?: readonly Filter[];
};

export interface Query {
  readonly where?: Filter;
  /** A declared index, by its fields in order; `desc` turns all of them. Default: `_id`. */
  readonly sort?: { readonly by: readonly string[]; readonly desc?: boolean };
  /** Cursor of the page before. */
  readonly after?: string;
  /** At most 1,000; default 1,000. */
  readonly limit?: number;
}

export interface Page<D> {
  readonly items: D[];
  /** Absent on the last page. */
  readonly next?: string;
}

/** An event on its way into the outbox of a document. */
export interface PendingEvent {
  readonly id: string;
  /** Contract type, e.g. `server.ready`. */
  readonly type: string;
  readonly userId: string;
  readonly objectId: string;
  readonly event: CloudEvent;
}

export interface Change<D> {
  /** Top-level fields to set. */
  readonly set: Partial<Omit<D, "_id" | "rev" | "pendingEvents" | "pendingSince">>;
  /** Appended to `pendingEvents` in the same write; `pendingSince` becomes the given time when none waited. Does not lose a concurrent `settle`. */
  readonly events?: { readonly at: string; readonly list: readonly PendingEvent[] };
}

/** The documents of one collection. Every call throws STORE_AWAY when the store does not answer within 2 s. */
export interface Documents<C extends Collection = Collection> {
  /** Throws STORE_CONFLICT when `_id` or a unique index is taken. `rev` starts at 1. */
  insert(doc: Omit<Doc<C>, "rev">): Promise<Doc<C>>;
  /** Compare and swap: writes only when the document still has `rev`, and raises it. undefined: it moved or is gone. Throws STORE_CONFLICT on a unique index. */
  patch(id: string, rev: number, change: Change<Doc<C>>): Promise<Doc<C> | undefined>;
  /** Takes sent events out; neither checks nor raises `rev`. */
  settle(id: string, eventIds: readonly string[]): Promise<void>;
  /** With `rev`: compare and delete. True when a document was deleted. */
  delete(id: string, rev?: number): Promise<boolean>;
  get(id: string): Promise<Doc<C> | undefined>;
  find(query?: Query): Promise<Page<Doc<C>>>;
  count(where?: Filter): Promise<number>;
}

/** The store: collections of JSON documents. Adapters: `sqlite` (embedded default) and `mongo`; one suite, `conformance.ts`, runs on both. */
export interface Store {
  /** Declares the collection (table and indexes are made at the first call) and gives access to it. */
  collection<C extends Collection>(declaration: C): Documents<C>;
  /** Resolves when the store answers; throws STORE_AWAY. */
  ping(): Promise<void>;
  close(): Promise<void>;
}
