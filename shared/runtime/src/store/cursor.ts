import { type Collection, HubError } from "@elara/contracts";
import { segments } from "./declaration.ts";
import type { Scalar } from "./store.ts";
import { checkOperand, type Order, type Term } from "./validate.ts";

/** The value at a declared path; undefined where an older document lacks it. */
export function valueAt(doc: object, path: string): unknown {
  let at: unknown = doc;
  for (const name of segments(path)) {
    if (typeof at !== "object" || at === null || !Object.hasOwn(at, name)) return undefined;
    at = Reflect.get(at, name);
  }
  return at;
}

/** The cursor behind a document: the order and the document's values in it. */
export function cursorOf(order: Order, last: object): string {
  const values = order.fields.map((field) => valueAt(last, field.path));
  return Buffer.from(JSON.stringify([signature(order), ...values])).toString("base64url");
}

/** The condition "behind this cursor", or STORE_CURSOR_INVALID: it comes from clients, or belongs to another order. */
export function behind(declaration: Collection, order: Order, cursor: string): Term {
  const values = read(declaration, order, cursor);
  const op = order.desc ? "lt" : "gt";
  const alternatives = order.fields.map((field, position): Term => {
    const same = order.fields.slice(0, position).map((earlier, at) => compare(earlier, "eq", values, at));
    return { kind: "and", terms: [...same, compare(field, op, values, position)] };
  });
  // The first bound is implied by the alternatives; said on its own it lets the store enter the index there.
  const [first] = order.fields;
  const bound = first ? [compare(first, order.desc ? "lte" : "gte", values, 0)] : [];
  return { kind: "and", terms: [...bound, { kind: "or", terms: alternatives }] };
}

function compare(
  field: Order["fields"][number],
  op: "eq" | "gt" | "gte" | "lt" | "lte",
  values: readonly Scalar[],
  position: number,
): Term {
  const value = values[position];
  if (value === undefined) throw new RangeError("a cursor holds a value for each field");
  return { kind: "compare", field, op, value };
}

function read(declaration: Collection, order: Order, cursor: string): Scalar[] {
  try {
    const parts: unknown = JSON.parse(Buffer.from(cursor, "base64url").toString());
    if (!Array.isArray(parts) || parts.length !== order.fields.length + 1 || parts[0] !== signature(order))
      throw new TypeError("not a cursor of this order");
    return order.fields.map((field, position) => checkOperand(declaration, field, parts[position + 1]));
  } catch (cause) {
    throw new HubError("STORE_CURSOR_INVALID", { cause });
  }
}

const signature = (order: Order): string =>
  `${order.desc ? "-" : "+"}${order.fields.map((field) => field.path).join()}`;
