import { type Field, segments } from "./declaration.ts";
import type { Scalar } from "./store.ts";
import type { Comparison, Order, Term } from "./validate.ts";

/** A piece of SQL with its parameters in order. */
export interface Sql {
  readonly text: string;
  readonly values: readonly (string | number)[];
}

const OPERATORS = { eq: "=", ne: "IS NOT", gt: ">", gte: ">=", lt: "<", lte: "<=" } satisfies Record<
  Comparison,
  string
>;

/** The expression of a field: the very text that stands in the index, else SQLite does not use it. */
export const expression = (field: Field): string =>
  field.path === "_id" ? "id" : `json_extract(doc, ${jsonPath(field)})`;

const jsonPath = (field: Field): string =>
  `'$${segments(field.path)
    .map((name) => `."${name}"`)
    .join("")}'`;

const bound = (value: Scalar): string | number => (typeof value === "boolean" ? Number(value) : value);

/** A checked filter as a condition. */
export function condition(term: Term): Sql {
  switch (term.kind) {
    case "compare":
      return { text: `${expression(term.field)} ${OPERATORS[term.op]} ?`, values: [bound(term.value)] };
    case "in":
      // One parameter whatever the number of values: the statement is prepared once.
      return {
        text: `${expression(term.field)} IN (SELECT value FROM json_each(?))`,
        values: [JSON.stringify(term.values.map(bound))],
      };
    case "has":
      return {
        text: `EXISTS (SELECT 1 FROM json_each(doc, ${jsonPath(term.field)}) WHERE value = ?)`,
        values: [term.value],
      };
    default: {
      if (term.terms.length === 0) return { text: "TRUE", values: [] };
      const parts = term.terms.map(condition);
      return {
        text: `(${parts.map((part) => part.text).join(term.kind === "and" ? " AND " : " OR ")})`,
        values: parts.flatMap((part) => part.values),
      };
    }
  }
}

/** ORDER BY without the fields the filter fixes to one value: SQLite does not see through expressions and would sort again. */
export function orderBy(order: Order, where: Term): string {
  const fixed = new Set(fixedFields(where));
  const fields = order.fields.filter((field) => !fixed.has(field.path));
  if (fields.length === 0) return "";
  return `ORDER BY ${fields.map((field) => `${expression(field)} ${order.desc ? "DESC" : "ASC"}`).join(", ")}`;
}

function fixedFields(term: Term): string[] {
  if (term.kind === "and") return term.terms.flatMap(fixedFields);
  return term.kind === "compare" && term.op === "eq" ? [term.field.path] : [];
}
