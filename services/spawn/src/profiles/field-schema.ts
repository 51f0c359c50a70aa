import { faultsOf } from "@elara/runtime/config/faults";
import type { FieldKeywords } from "@elara/sdk";
import type { TSchema } from "typebox";

/** JSON Schema of one option's value, as it is stored and sent to pages. */
export type FieldSchema = Readonly<Record<string, unknown>>;

interface Constant {
  readonly const: unknown;
  readonly title?: string;
}

/** Whether a value fits; the first fault in words when it does not. */
export const fieldFault = (schema: FieldSchema, value: unknown): string | undefined => {
  const [fault] = faultsOf(schema as TSchema, value);
  return fault && (fault.path === "(root)" ? fault.message : `${fault.path} ${fault.message}`);
};

/** The values of a union of constants. */
const constants = ({ anyOf }: FieldSchema): readonly Constant[] | undefined =>
  Array.isArray(anyOf) && anyOf.every((part) => Object(part).const !== undefined) ? anyOf : undefined;

/** An option of a plugin as plain JSON, without what is said beside; a union of constants without titles becomes an `enum`. */
export function fieldSchema(option: TSchema): FieldSchema {
  const { userChoice, title, description, ...schema } = JSON.parse(JSON.stringify(option));
  const values = constants(schema);
  if (!values || values.some((part) => part.title !== undefined)) return schema;
  const { anyOf, ...rest } = schema;
  const types = [...new Set(values.map((part) => typeof part.const))];
  return {
    ...(types.length === 1 ? { type: types[0] } : {}),
    ...rest,
    enum: values.map((part) => part.const),
  };
}

/** The schema that `enum`, bounds and pattern speak of: for a list that of its elements. */
export const choiceOf = (schema: FieldSchema): FieldSchema =>
  schema.type === "array" && isSchema(schema.items) ? schema.items : schema;

const isSchema = (value: unknown): value is FieldSchema => typeof value === "object" && value !== null;

/** The schema with keywords laid over it. They only narrow: what they would add is left out. */
export function narrowed(schema: FieldSchema, keywords: FieldKeywords): FieldSchema {
  const choice = choiceOf(schema);
  return choice === schema
    ? narrowedChoice(schema, keywords)
    : { ...schema, items: narrowedChoice(choice, keywords) };
}

const higher = (a: unknown, b: number): number => (typeof a === "number" && a > b ? a : b);
const lower = (a: unknown, b: number): number => (typeof a === "number" && a < b ? a : b);

function narrowedChoice(schema: FieldSchema, keywords: FieldKeywords): FieldSchema {
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
  const fits = (value: unknown): boolean =>
    fieldFault(bounded, value) === undefined && (values === undefined || values.some((one) => one === value));
  const titled = constants(bounded);
  if (titled) return { ...bounded, anyOf: titled.filter((part) => fits(part.const)) };
  const left = values ?? bounded.enum;
  return Array.isArray(left) ? { ...bounded, enum: left.filter(fits) } : bounded;
}

/** Whether no value can fit. A pattern is taken at its word. */
export function isEmpty(schema: FieldSchema): boolean {
  const choice = choiceOf(schema);
  const { enum: values = constants(choice), minimum, maximum } = choice;
  if (Array.isArray(values)) return values.length === 0;
  return typeof minimum === "number" && typeof maximum === "number" && minimum > maximum;
}

/** The only values of a choice, where its schema lists them. */
export const listed = (choice: FieldSchema): readonly unknown[] | undefined =>
  Array.isArray(choice.enum) ? choice.enum : constants(choice)?.map((part) => part.const);

/** Values that a field may begin with when nothing else fits: the first of a list, a bound. */
export const edges = (schema: FieldSchema): readonly unknown[] => [
  listed(schema)?.[0],
  schema.minimum,
  schema.maximum,
];
