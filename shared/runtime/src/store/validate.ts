import { type Collection, HubError } from "@elara/contracts";
import { type Field, fieldOf } from "./declaration.ts";
import type { Condition, Filter, Query, Scalar } from "./store.ts";

export type Comparison = "eq" | "ne" | "gt" | "gte" | "lt" | "lte";

/** A checked filter: every field declared, every operand of the field's type. Adapters compile it and check nothing. */
export type Term =
  | { readonly kind: "compare"; readonly field: Field; readonly op: Comparison; readonly value: Scalar }
  | { readonly kind: "in"; readonly field: Field; readonly values: readonly Scalar[] }
  | { readonly kind: "has"; readonly field: Field; readonly value: string }
  | { readonly kind: "and" | "or"; readonly terms: readonly Term[] };

/** A checked order: the fields of a declared index, `_id` last, all in one direction. */
export interface Order {
  readonly fields: readonly Field[];
  readonly desc: boolean;
}

export const MAX_LIMIT = 1000;
const MAX_OPERANDS = 1000;
const MAX_DEPTH = 8;
const TIME = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z)?$/;
const OPERATORS = new Set(["in", "gt", "gte", "lt", "lte", "ne", "has"]);
const RANGES = new Set(["gt", "gte", "lt", "lte"]);

const refuse = (declaration: Collection, what: string): HubError =>
  new HubError("STORE_QUERY_INVALID", { detail: `${declaration.name}: ${what}` });

/** A filter as a term, or STORE_QUERY_INVALID with the reason in `detail`. */
export function checkFilter(declaration: Collection, where: Filter | undefined): Term {
  return filterTerm(declaration, where ?? {}, 0);
}

function filterTerm(declaration: Collection, where: unknown, depth: number): Term {
  if (depth > MAX_DEPTH) throw refuse(declaration, `a filter is nested more than ${MAX_DEPTH} deep`);
  if (!isPlainObject(where)) throw refuse(declaration, "a filter is a plain object");
  const terms: Term[] = [];
  for (const [name, condition] of Object.entries(where)) {
    if (name === "and" || name === "or") {
      if (!Array.isArray(condition) || condition.length === 0 || condition.length > MAX_OPERANDS)
        throw refuse(declaration, `"${name}" takes 1 to ${MAX_OPERANDS} filters`);
      terms.push({ kind: name, terms: condition.map((part) => filterTerm(declaration, part, depth + 1)) });
    } else terms.push(...conditionTerms(declaration, name, condition));
  }
  const [only] = terms;
  return only && terms.length === 1 ? only : { kind: "and", terms };
}

function conditionTerms(declaration: Collection, name: string, condition: Condition | unknown): Term[] {
  const field = fieldOf(declaration, name);
  if (!field) throw refuse(declaration, `field "${name}" is not declared`);
  const scalar = (value: unknown): Scalar => checkOperand(declaration, field, value);
  if (!isPlainObject(condition)) {
    if (field.type === "strings") throw refuse(declaration, `a list is asked by "has": "${name}"`);
    return [{ kind: "compare", field, op: "eq", value: scalar(condition) }];
  }
  const operators = Object.keys(condition);
  const isRange = operators.length === 2 && operators.every((operator) => RANGES.has(operator));
  if (operators.length !== 1 && !isRange) throw refuse(declaration, `one operator, or a range, on "${name}"`);
  return operators.map((operator): Term => {
    const operand = condition[operator];
    if (!OPERATORS.has(operator)) throw refuse(declaration, `unknown operator "${operator}" on "${name}"`);
    if ((operator === "has") !== (field.type === "strings"))
      throw refuse(declaration, `operator "${operator}" on "${name}" of type ${field.type}`);
    if (operator === "has") return { kind: "has", field, value: String(scalar(operand)) };
    if (operator === "in") {
      if (!Array.isArray(operand) || operand.length > MAX_OPERANDS)
        throw refuse(declaration, `"in" takes a list of at most ${MAX_OPERANDS} values: "${name}"`);
      return { kind: "in", field, values: operand.map(scalar) };
    }
    if (field.type === "boolean" && operator !== "ne")
      throw refuse(declaration, `operator "${operator}" on the boolean "${name}"`);
    return { kind: "compare", field, op: comparison(operator), value: scalar(operand) };
  });
}

function comparison(operator: string): Comparison {
  switch (operator) {
    case "gt":
    case "gte":
    case "lt":
    case "lte":
      return operator;
    default:
      return "ne";
  }
}

/** An operand of the field's own type; null, undefined, NaN, objects, arrays and foreign types are refused. */
export function checkOperand(declaration: Collection, field: Field, value: unknown): Scalar {
  const wrong = () => refuse(declaration, `operand of "${field.path}" is no ${field.type}`);
  switch (field.type) {
    case "number":
      if (typeof value !== "number" || !Number.isSafeInteger(value)) throw wrong();
      return value;
    case "boolean":
      if (typeof value !== "boolean") throw wrong();
      return value;
    case "time":
      if (typeof value !== "string" || !TIME.test(value)) throw wrong();
      return value;
    default:
      if (typeof value !== "string") throw wrong();
      return value.toWellFormed();
  }
}

/** The order of a query: a declared index, else `_id`. */
export function checkOrder(declaration: Collection, sort: Query["sort"]): Order {
  const id: Field = { path: "_id", type: "string" };
  if (!sort) return { fields: [id], desc: false };
  const wanted = withId(sort.by).join();
  const index = declaration.indexes.find((candidate) => withId(candidate.fields).join() === wanted);
  if (!index && wanted !== "_id") throw refuse(declaration, `no index is declared on ${sort.by.join(", ")}`);
  const fields = withId(sort.by).map((path) => {
    const field = fieldOf(declaration, path);
    if (!field) throw refuse(declaration, `field "${path}" is not declared`);
    return field;
  });
  return { fields, desc: sort.desc === true };
}

const withId = (paths: readonly string[]): readonly string[] =>
  paths.at(-1) === "_id" ? paths : [...paths, "_id"];

/** The number of documents on a page: 1 to 1,000. */
export function checkLimit(declaration: Collection, limit: number | undefined): number {
  if (limit === undefined) return MAX_LIMIT;
  if (!Number.isInteger(limit) || limit < 1 || limit > MAX_LIMIT)
    throw refuse(declaration, `a limit is 1 to ${MAX_LIMIT}`);
  return limit;
}

/** An object literal: no array, no date, no class. */
export function isPlainObject(value: unknown): value is Record<string, unknown> {
  if (typeof value !== "object" || value === null) return false;
  const prototype = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}
