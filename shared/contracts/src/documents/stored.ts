import { Type } from "typebox";
import { TimeOrNone } from "../scalar.ts";

/** What the store keeps on every document. `v` is the document's format; readers accept `v` and `v - 1`. */
export const stored = {
  _id: Type.String({ minLength: 1 }),
  rev: Type.Integer({ minimum: 0 }),
  v: Type.Integer({ minimum: 1 }),
};

/**
 * What a document with events carries: a change and its event are one write. `seq` counts the document's events;
 * the relay sends `pendingEvents` oldest first and settles them. `deletedAt` is the tombstone.
 */
export const eventful = {
  ...stored,
  seq: Type.Integer({ minimum: 0 }),
  pendingEvents: Type.Array(Type.Unknown()),
  /** Since when events wait: when the oldest unsent one was written, or one before it that is out by now; "" when none waits. */
  pendingSince: TimeOrNone,
  deletedAt: TimeOrNone,
};

export const eventfulFields = { pendingSince: "time", deletedAt: "time" } as const;
export const eventfulIndexes = [{ fields: ["pendingSince", "_id"] }] as const;

/** The first values of an eventful document. */
export const eventfulStart = { seq: 0, pendingEvents: [], pendingSince: "", deletedAt: "" };
