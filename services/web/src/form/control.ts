import type { ProfileField } from "@elara/contracts";

/** One of several values a field may have. */
export interface Choice {
  /** As it stands in the form. */
  readonly text: string;
  readonly value: unknown;
  readonly title: string;
}

/** How a field is filled in. Bounds are texts for the attributes of an input, "" where there is none. */
export type Control =
  | { readonly kind: "select"; readonly choices: readonly Choice[] }
  | { readonly kind: "checkbox" }
  | {
      readonly kind: "number";
      readonly isInteger: boolean;
      readonly min: string;
      readonly max: string;
      readonly step: string;
    }
  | {
      readonly kind: "text";
      readonly pattern: string;
      readonly minLength: string;
      readonly maxLength: string;
    }
  /** A list: from given values, or one text a line. */
  | { readonly kind: "checkboxes"; readonly choices: readonly Choice[] }
  | { readonly kind: "lines" };

/** JSON Schema of a value. */
export type Schema = Readonly<Record<string, unknown>>;

/** The control for a field's JSON schema; undefined for what no form can ask (objects, lists of lists). */
export function controlOf({ schema }: Pick<ProfileField, "schema">): Control | undefined {
  const choices = choicesOf(schema);
  if (choices) return { kind: "select", choices };
  switch (schema.type) {
    case "boolean":
      return { kind: "checkbox" };
    case "integer":
    case "number":
      return numberControl(schema);
    case "string":
      return {
        kind: "text",
        pattern: wholePattern(schema.pattern),
        minLength: text(schema.minLength),
        maxLength: text(schema.maxLength),
      };
    case "array":
      return listControl(schema.items);
    default:
      return undefined;
  }
}

/** What a field is measured in: the keyword `unit` of its schema, "" for none. */
export const unitOf = ({ schema }: Pick<ProfileField, "schema">): string =>
  typeof schema.unit === "string" ? schema.unit : "";

/** The only values there are: `enum`, or a union of constants, which may have titles. */
export function choicesOf(schema: Schema): readonly Choice[] | undefined {
  if (Array.isArray(schema.enum)) return schema.enum.map((value: unknown) => choice(value));
  if (!Array.isArray(schema.anyOf)) return undefined;
  const parts = schema.anyOf.filter((part): part is Schema => isSchema(part) && "const" in part);
  return parts.length === schema.anyOf.length
    ? parts.map((part) => choice(part.const, part.title))
    : undefined;
}

const choice = (value: unknown, title?: unknown): Choice => ({
  text: String(value),
  value,
  title: typeof title === "string" ? title : String(value),
});

function numberControl(schema: Schema): Control {
  const isInteger = schema.type === "integer";
  return {
    kind: "number",
    isInteger,
    min: text(schema.minimum),
    max: text(schema.maximum),
    step: text(schema.multipleOf) || (isInteger ? "1" : "any"),
  };
}

function listControl(items: unknown): Control | undefined {
  if (!isSchema(items)) return undefined;
  const choices = choicesOf(items);
  if (choices) return { kind: "checkboxes", choices };
  return items.type === "string" ? { kind: "lines" } : undefined;
}

/**
 * A pattern of JSON Schema matches anywhere, one of HTML the whole value, and with the stricter flag `v`; one that does not
 * compile so is left to the check of the order.
 */
function wholePattern(pattern: unknown): string {
  if (typeof pattern !== "string" || pattern === "") return "";
  try {
    new RegExp(pattern, "v");
    return `[^]*(?:${pattern})[^]*`;
  } catch {
    return "";
  }
}

const text = (bound: unknown): string => (typeof bound === "number" ? String(bound) : "");

/** Whether it is one, for `items`. */
export const isSchema = (value: unknown): value is Schema =>
  typeof value === "object" && value !== null && !Array.isArray(value);
