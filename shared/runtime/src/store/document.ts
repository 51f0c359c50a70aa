import { type Collection, HubError } from "@elara/contracts";
import { type TSchema, Type } from "typebox";
import { Compile } from "typebox/compile";
import { valueAt } from "./cursor.ts";
import { segments } from "./declaration.ts";
import type { PendingEvent } from "./store.ts";
import { isPlainObject } from "./validate.ts";

/** What may be written, as plain JSON of its own: later changes to the caller's object do not reach the store. */
export type Json = Record<string, unknown>;

export const MAX_DOCUMENT_BYTES = 1_000_000;
const MAX_DEPTH = 64;
const RESERVED = new Set(["_id", "rev", "pendingEvents", "pendingSince"]);

/** A change of any collection. */
interface AnyChange {
  readonly set: object;
  readonly events?: { readonly at: string; readonly list: readonly PendingEvent[] };
}

/** A checked change: fields to set, events to append. */
export interface CheckedChange {
  readonly set: Json;
  readonly events: { readonly at: string; readonly list: readonly Json[] } | undefined;
}

/** Checks what is written to one collection. Documents that were read are not checked: an older version may have written them. */
export interface DocumentCheck {
  /** The document to insert, with `rev` 1. */
  insert(doc: unknown): Json & { _id: string; rev: number };
  change(change: AnyChange): CheckedChange;
  /** Throws when the collection's documents carry no events. */
  needEvents(): void;
  /** Throws STORE_DOCUMENT_TOO_LARGE; both adapters measure the document as JSON. */
  size(doc: Json): string;
}

/**
 * Whole documents are checked by the compiled schema at insert, changes by the same schema with every field optional:
 * what a change does not name was checked when it was written.
 */
export function documentCheck(declaration: Collection): DocumentCheck {
  const invalid = (detail: unknown) => new HubError("STORE_DOCUMENT_INVALID", { detail });
  const whole = lazySchema(declaration.schema);
  const partial = lazySchema(Type.Partial(declaration.schema));
  const hasEvents = Object.hasOwn(declaration.schema.properties, "pendingEvents");

  const check = (schema: () => Validator, doc: Json): void => {
    for (const name of Object.keys(doc))
      if (!Object.hasOwn(declaration.schema.properties, name))
        throw invalid(`${declaration.name}: no field "${name}"`);
    if (schema().Check(doc)) return;
    const [first] = schema().Errors(doc);
    throw invalid(`${declaration.name}: ${first?.instancePath ?? ""} ${first?.message ?? ""}`);
  };
  const needEvents = (): void => {
    if (!hasEvents) throw invalid(`${declaration.name} has no events`);
  };
  /** Integers beyond 2^53 pass a schema but are not exact. */
  const checkNumbers = (doc: Json): void => {
    for (const [path, type] of Object.entries(declaration.fields)) {
      if (type !== "number" || !Object.hasOwn(doc, segments(path)[0] ?? "")) continue;
      if (!Number.isSafeInteger(valueAt(doc, path)))
        throw invalid(`${declaration.name}: ${path} is no safe integer`);
    }
  };
  return {
    insert(doc) {
      const copy = plainCopy({ ...(isPlainObject(doc) ? doc : {}), rev: 1 });
      check(whole, copy);
      checkNumbers(copy);
      if (typeof copy._id !== "string") throw invalid(`${declaration.name}: _id is no string`);
      return { ...copy, _id: copy._id, rev: 1 };
    },
    change(change) {
      const set = plainCopy(change.set);
      for (const name of Object.keys(set))
        if (RESERVED.has(name)) throw invalid(`${declaration.name}: "${name}" is not set by a change`);
      check(partial, set);
      checkNumbers(set);
      if (!change.events || change.events.list.length === 0) return { set, events: undefined };
      needEvents();
      check(partial, { pendingSince: change.events.at });
      return {
        set,
        events: { at: change.events.at, list: change.events.list.map((event) => plainCopy(event)) },
      };
    },
    needEvents,
    size(doc) {
      const text = JSON.stringify(doc);
      // A character is at most three bytes, so most documents need no counting.
      if (text.length * 3 > MAX_DOCUMENT_BYTES && Buffer.byteLength(text) > MAX_DOCUMENT_BYTES)
        throw new HubError("STORE_DOCUMENT_TOO_LARGE", { detail: declaration.name });
      return text;
    },
  };
}

interface Validator {
  Check(value: unknown): boolean;
  Errors(value: unknown): { instancePath: string; message: string }[];
}

/** Compiled at the first write: a process that only reads a collection does not pay for it (4 ms the largest). */
function lazySchema(schema: TSchema): () => Validator {
  let compiled: Validator | undefined;
  return () => {
    compiled ??= Compile(schema);
    return compiled;
  };
}

/** A deep copy as plain JSON with well-formed strings, so that what is read back is what was answered, in every adapter. */
function plainCopy(value: unknown): Json {
  const copy = plain(value, 0);
  if (!isPlainObject(copy))
    throw new HubError("STORE_DOCUMENT_INVALID", { detail: "a document is a plain object" });
  return copy;
}

function plain(value: unknown, depth: number): unknown {
  switch (typeof value) {
    case "string":
      return value.isWellFormed() ? value : value.toWellFormed();
    case "boolean":
      return value;
    case "number":
      if (Number.isFinite(value)) return value === 0 ? 0 : value;
      break;
    case "object":
      if (value === null) return value;
      if (depth >= MAX_DEPTH) throw unfit(`nested more than ${MAX_DEPTH} deep`);
      if (Array.isArray(value))
        return value.map((item) => plain(item === undefined ? null : item, depth + 1));
      if (isPlainObject(value)) return plainEntries(value, depth);
  }
  throw new HubError("STORE_DOCUMENT_INVALID", { detail: `a ${typeof value} is no JSON` });
}

function plainEntries(value: Json, depth: number): Json {
  const copy: Json = {};
  for (const [key, item] of Object.entries(value)) {
    if (item === undefined) continue;
    // MongoDB cannot keep such names; a client may have sent them in free-form JSON.
    if (key.startsWith("$") || key.includes("\0") || key === "__proto__")
      throw unfit(`the name ${JSON.stringify(key)}`);
    copy[key.toWellFormed()] = plain(item, depth + 1);
  }
  return copy;
}

/** The fault of whoever sent the JSON, not the hub's. */
const unfit = (what: string): HubError =>
  new HubError("STORE_DOCUMENT_INVALID", { status: 400, message: `The request cannot be kept: ${what}.` });
