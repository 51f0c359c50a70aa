import { valueAt } from "../cursor.ts";
import type { Filter } from "../store.ts";
import type { ProbeDoc } from "./probe.ts";

/** What the port promises, written as plainly as can be: no index, no database. */
export function matches(doc: ProbeDoc, where: Filter): boolean {
  return Object.entries(where).every(([name, condition]) => {
    if (name === "or") return parts(condition).some((part) => matches(doc, part));
    if (name === "and") return parts(condition).every((part) => matches(doc, part));
    return meets(valueAt(doc, name), condition);
  });
}

const isList = (value: Filter[string]): value is readonly Filter[] => Array.isArray(value);
const parts = (value: Filter[string]): readonly Filter[] => (isList(value) ? value : []);

function meets(value: unknown, condition: Filter[string]): boolean {
  if (condition === undefined || isList(condition)) return false;
  if (typeof condition !== "object") return value === condition;
  return Object.entries(condition).every(([operator, operand]) => holds(operator, value, operand));
}

function holds(operator: string, value: unknown, operand: unknown): boolean {
  switch (operator) {
    case "in":
      return Array.isArray(operand) && operand.includes(value);
    case "has":
      return Array.isArray(value) && value.includes(operand);
    case "ne":
      return value !== operand;
    case "gt":
      return compare(value, operand) > 0;
    case "gte":
      return compare(value, operand) >= 0;
    case "lt":
      return compare(value, operand) < 0;
    default:
      return compare(value, operand) <= 0;
  }
}

/** Strings by their UTF-8 bytes, numbers by size, false before true. */
function compare(a: unknown, b: unknown): number {
  if (typeof a === "string" && typeof b === "string") return Buffer.compare(Buffer.from(a), Buffer.from(b));
  return Number(a) - Number(b);
}

/** An index's fields with the closing `_id`. */
export const fieldsOf = (by: readonly string[]): readonly string[] =>
  by.at(-1) === "_id" ? by : [...by, "_id"];

/** Ids in the order of an index. */
export function ordered(docs: readonly ProbeDoc[], fields: readonly string[], desc: boolean): string[] {
  const sorted = docs.toSorted((a, b) => {
    for (const field of fields) {
      const order = compare(valueAt(a, field), valueAt(b, field));
      if (order !== 0) return desc ? -order : order;
    }
    return 0;
  });
  return sorted.map((doc) => doc._id);
}
