import type { Static, TObject } from "typebox";

/** How a queryable field compares: `strings` is an array of strings for `has`; times are fixed-width UTC strings. */
export type FieldType = "string" | "number" | "boolean" | "time" | "strings";

/** A declared index. Sorting and paging is possible by declared indexes only; `_id` always ends it. */
export interface Index {
  readonly fields: readonly string[];
  readonly unique?: boolean;
}

/**
 * One collection of JSON documents: who writes it, what may be asked of it.
 * `fields` maps every queryable path (dots only through fixed objects) to its type; such a field is required
 * in every document. Source: the store port's rules, `shared/runtime/src/store/README.md`.
 */
export interface Collection<S extends TObject = TObject> {
  readonly name: string;
  /** The one service that writes it. */
  readonly owner: "auth" | "spawn" | "proxy" | "web" | "every process, its own row";
  readonly schema: S;
  readonly fields: Readonly<Record<string, FieldType>>;
  readonly indexes: readonly Index[];
}

/** The document type of a collection, with `_id` and `rev`. */
export type Doc<C extends Collection> = Static<C["schema"]>;

/** Declares a collection; the document type follows from the schema. */
export const collection = <S extends TObject>(declaration: Collection<S>): Collection<S> => declaration;
