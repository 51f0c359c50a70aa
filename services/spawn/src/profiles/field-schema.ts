import { faultsOf } from "@elara/runtime/config/faults";
import type { FieldKeywords } from "@elara/sdk";
import type { TSchema } from "typebox";

/** JSON Schema of one option's value, as it is stored and sent to pages. */
export type FieldSchema = Readonly<Record<string, unknown>>;

/** Whether a value fits; the first fault in words when it does not. */
export const fieldFault = (schema: FieldSchema, value: unknown): string | undefined => {
  const [fault] = faultsOf(schema as TSchema, value);
  return fault && (fault.path === "(root)" ? fault.message : `${fault.path} ${fault.message}`);
};

/** An option of a plugin as plain JSON, without what is said beside; a union of literals becomes an `enum`. */
export function fieldSchema(option: TSchema): FieldSchema {
  const { userChoice, title, description, anyOf, ...schema } = JSON.parse(JSON.stringify(option));
  const values = Array.isArray(anyOf) ? anyOf.map((part: { const?: unknown }) => part.const) : [undefined];
  if (values.includes(undefined)) return anyOf === undefined ? schema : { ...schema, anyOf };
  const [type, ...others] = [...new Set(values.map((value) => typeof value))];
  return { ...(others.length === 0 ? { type } : {}), ...schema, enum: values };
}

const higher = (a: unknown, b: number): number => (typeof a === "number" && a > b ? a : b);
const lower = (a: unknown, b: number): number => (typeof a === "number" && a < b ? a : b);

/** The schema with keywords laid over it. They only narrow: what they would add is left out. */
export function narrowed(schema: FieldSchema, keywords: FieldKeywords): FieldSchema {
  const { enum: values, minimum, maximum, pattern } = keywords;
  const isTwice = pattern !== undefined && schema.pattern !== undefined && schema.pattern !== pattern;
  const all = Array.isArray(schema.allOf) ? schema.allOf : [];
  const bounded: FieldSchema = {
    ...schema,
    ...(minimum === undefined ? {} : { minimum: higher(schema.minimum, minimum) }),
    ...(maximum === undefined ? {} : { maximum: lower(schema.maximum, maximum) }),
    ...(isTwice ? { allOf: [...all, { pattern: schema.pattern }] } : {}),
    ...(pattern === undefined ? {} : { pattern }),
  };
  const left = values ?? bounded.enum;
  if (!Array.isArray(left)) return bounded;
  return { ...bounded, enum: left.filter((value) => fieldFault(bounded, value) === undefined) };
}

/** Whether any value can fit. A pattern is taken at its word. */
export function isEmpty({ enum: values, minimum, maximum }: FieldSchema): boolean {
  if (Array.isArray(values)) return values.length === 0;
  return typeof minimum === "number" && typeof maximum === "number" && minimum > maximum;
}
