import type { Comparison, Order, Term } from "./validate.ts";

/** A filter as the driver takes it; operators are always spelt out, so that no value is read as one. */
export type MongoFilter = Record<string, unknown>;

const OPERATORS = {
  eq: "$eq",
  ne: "$ne",
  gt: "$gt",
  gte: "$gte",
  lt: "$lt",
  lte: "$lte",
} satisfies Record<Comparison, string>;

/** A checked filter in MongoDB's plain query operators. */
export function mongoFilter(term: Term): MongoFilter {
  switch (term.kind) {
    case "compare":
      return { [term.field.path]: { [OPERATORS[term.op]]: term.value } };
    case "in":
      return { [term.field.path]: { $in: term.values } };
    case "has":
      return { [term.field.path]: { $eq: term.value } };
    default: {
      if (term.terms.length === 0) return {};
      return { [term.kind === "and" ? "$and" : "$or"]: term.terms.map(mongoFilter) };
    }
  }
}

/** A checked order as the driver takes it. */
export const mongoSort = (order: Order): [string, 1 | -1][] =>
  order.fields.map((field) => [field.path, order.desc ? -1 : 1]);
