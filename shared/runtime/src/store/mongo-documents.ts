import { randomBytes } from "node:crypto";
import type { Collection, Doc } from "@elara/contracts";
import type { Db, Filter, UpdateFilter } from "mongodb";
import { behind, cursorOf } from "./cursor.ts";
import { type CheckedChange, documentCheck, type Json } from "./document.ts";
import type { Call } from "./mongo-call.ts";
import { mongoFilter, mongoSort } from "./mongo-query.ts";
import type { Documents } from "./store.ts";
import { checkFilter, checkLimit, checkOrder } from "./validate.ts";

/** Hidden field: nonces of the last writers, newest last. After a lost answer a writer finds its own, even under later writes. */
const WRITERS = "_w";
const KEPT_WRITERS = 8;
const DUPLICATE = 11000;
const UNAUTHORIZED = 13;
const HIDDEN = { [WRITERS]: 0 } as const;
/** Fields are few and set whole, so only a large change can make a document too large; it is then read before. */
const LARGE_CHANGE_BYTES = 16_384;

/** A stored document as the driver's types see it. */
interface Row {
  _id: string;
  rev: number;
  pendingEvents?: { id?: unknown }[];
  pendingSince?: string;
  [WRITERS]: string[];
}

/** One collection in MongoDB. The indexes are made before the first call, if by this one; nothing is assumed but single-document writes. */
export function mongoDocuments<C extends Collection>(
  db: Db,
  call: Call,
  declaration: C,
  makesIndexes: boolean,
): Documents<C> {
  const rows = db.collection<Row>(declaration.name);
  const check = documentCheck(declaration);
  const nonce = () => randomBytes(9).toString("base64url");
  const written = (id: string, writer: string) =>
    rows.findOne({ _id: id, [WRITERS]: writer }, { projection: HIDDEN });

  let indexes: Promise<unknown> | undefined;
  /** Waits for the indexes; asked again after a failure. */
  const ready: Call = (attempt) =>
    call(async (again) => {
      indexes ??= makesIndexes ? createIndexes(db, declaration) : Promise.resolve();
      try {
        await indexes;
      } catch (error) {
        // A reader's account may not make indexes; the writer does.
        if (serverCode(error) !== UNAUTHORIZED) {
          indexes = undefined;
          throw error;
        }
      }
      return attempt(again);
    });
  const checkSize = async (id: string, rev: number, change: CheckedChange): Promise<void> => {
    if (check.size({ ...change.set, pendingEvents: change.events?.list ?? [] }).length < LARGE_CHANGE_BYTES)
      return;
    const before = await ready(() => rows.findOne({ _id: id, rev }, { projection: HIDDEN }));
    if (!before) return;
    const waiting = Array.isArray(before.pendingEvents) ? before.pendingEvents : [];
    check.size({ ...before, ...change.set, pendingEvents: [...waiting, ...(change.events?.list ?? [])] });
  };

  return {
    insert: async (doc) => {
      const checked = check.insert(doc);
      check.size(checked);
      const writer = nonce();
      await ready(async (again) => {
        try {
          await rows.insertOne({ ...checked, [WRITERS]: [writer] });
        } catch (error) {
          if (again && serverCode(error) === DUPLICATE && (await written(checked._id, writer))) return;
          throw error;
        }
      });
      return typed<C>(checked);
    },
    patch: async (id, rev, change) => {
      const checked = check.change(change);
      await checkSize(id, rev, checked);
      const writer = nonce();
      const { set, events } = checked;
      const update: UpdateFilter<Row> = {
        $inc: { rev: 1 },
        $push: {
          [WRITERS]: { $each: [writer], $slice: -KEPT_WRITERS },
          ...(events && { pendingEvents: { $each: [...events.list] } }),
        },
        ...(Object.keys(set).length > 0 && { $set: set }),
      };
      const swap = (state: Filter<Row>, more: UpdateFilter<Row>) =>
        rows.findOneAndUpdate({ _id: id, rev, ...state }, more, {
          returnDocument: "after",
          projection: HIDDEN,
        });
      /** Sets `pendingSince` only where none waited. While `rev` stands it can only be emptied: the third try is the last. */
      const append = async (at: string) => {
        const since = { ...update, $set: { ...set, pendingSince: at } };
        return (
          (await swap({ pendingSince: "" }, since)) ??
          (await swap({ pendingSince: { $ne: "" } }, update)) ??
          (await swap({ pendingSince: "" }, since))
        );
      };
      const doc = await ready(async (again) => {
        const after = await (events ? append(events.at) : swap({}, update));
        return after ?? (again ? await written(id, writer) : null);
      });
      return doc ? typed<C>(doc) : undefined;
    },
    settle: async (id, eventIds) => {
      check.needEvents();
      await ready(async () => {
        // Two steps, each safe to repeat: an event appended between them keeps the second from matching.
        if (eventIds.length > 0)
          await rows.updateOne({ _id: id }, { $pull: { pendingEvents: { id: { $in: eventIds } } } });
        await rows.updateOne(
          { _id: id, pendingEvents: { $size: 0 }, pendingSince: { $ne: "" } },
          { $set: { pendingSince: "" } },
        );
      });
    },
    delete: (id, rev) =>
      ready(async (again) => {
        const filter = rev === undefined ? { _id: id } : { _id: id, rev };
        const { deletedCount } = await rows.deleteOne(filter);
        if (deletedCount > 0) return true;
        // The first attempt's answer was lost: gone now means that it was carried out.
        return again && (await rows.findOne({ _id: id }, { projection: { _id: 1 } })) === null;
      }),
    get: async (id) => {
      const doc = await ready(() => rows.findOne({ _id: id }, { projection: HIDDEN }));
      return doc ? typed<C>(doc) : undefined;
    },
    find: async (query = {}) => {
      const order = checkOrder(declaration, query.sort);
      const limit = checkLimit(declaration, query.limit);
      const asked = mongoFilter(checkFilter(declaration, query.where));
      const where =
        query.after === undefined
          ? asked
          : { $and: [asked, mongoFilter(behind(declaration, order, query.after))] };
      const found = await ready(() =>
        rows.find(where, { projection: HIDDEN, sort: mongoSort(order), limit: limit + 1 }).toArray(),
      );
      const items = found.slice(0, limit);
      const last = found.length > limit ? items.at(-1) : undefined;
      const page = { items: items.map(typed<C>) };
      return last ? { ...page, next: cursorOf(order, last) } : page;
    },
    count: async (where) => {
      const query = mongoFilter(checkFilter(declaration, where));
      // The driver's own countDocuments is an aggregation.
      const answer = await ready(() => db.command({ count: declaration.name, query }));
      return Number(answer.n);
    },
  };
}

/** Makes the declared indexes; finding them made is cheap. */
async function createIndexes(db: Db, declaration: Collection): Promise<void> {
  if (declaration.indexes.length === 0) return;
  await db.collection(declaration.name).createIndexes(
    declaration.indexes.map((index) => ({
      key: Object.fromEntries(index.fields.map((path) => [path, 1])),
      name: `${index.unique ? "unique:" : ""}${index.fields.join()}`,
      ...(index.unique && { unique: true }),
    })),
  );
}

/** The server's error code; undefined for errors of the way there. */
const serverCode = (error: unknown): unknown =>
  error instanceof Error && "code" in error ? error.code : undefined;

/** The one place where stored documents take the collection's type: only checked documents are ever written. */
const typed = <C extends Collection>(doc: Json): Doc<C> => doc as Doc<C>;
