import type { ProfileField } from "@elara/contracts";
import type { TSchema } from "typebox";
import { Check } from "typebox/value";
import { type Choice, choicesOf, isSchema, type Schema, unitOf } from "./control.ts";

/**
 * What would be right, as a sentence for people, when the value does not fit; undefined when it does, and for what no form
 * can ask (objects): that is left to the check of the order.
 */
export function valueFault(field: ProfileField, value: unknown): string | undefined {
  const { schema } = field;
  return fits(schema, value) ? undefined : sentence(field.title || field.name, { ...field, schema }, value);
}

const fits = (schema: Schema, value: unknown): boolean => Check(schema as TSchema, value);

type Part = Pick<ProfileField, "description"> & { readonly schema: Schema };

function sentence(subject: string, part: Part, value: unknown): string | undefined {
  const { schema } = part;
  const choices = choicesOf(schema);
  if (choices?.length === 0) return `${subject} has nothing to choose from now.`;
  if (choices) return `${subject} must be one of ${listed(choices)}.`;
  switch (schema.type) {
    case "boolean":
      return `${subject} must be true or false.`;
    case "integer":
    case "number":
      return `${subject} must be ${numberWords(schema)}.`;
    case "string":
      return textSentence(subject, part, value);
    case "array":
      return listSentence(subject, part, value);
    default:
      return undefined;
  }
}

/** So many are named; a list of hundreds of images helps nobody. */
const MOST_NAMED = 8;

function listed(choices: readonly Choice[]): string {
  const named = choices
    .slice(0, MOST_NAMED)
    .map(({ text, title }) => (title === text ? text : `${text} (${title})`))
    .join(", ");
  const others = choices.length - MOST_NAMED;
  return others > 0 ? `${named} and ${others} other${others === 1 ? "" : "s"}` : named;
}

/** "a whole number from 1 to 8 GiB". */
function numberWords(schema: Schema): string {
  const { minimum: min, maximum: max, exclusiveMinimum: above, exclusiveMaximum: below, multipleOf } = schema;
  const unit = unitOf({ schema });
  const measured = unit === "" ? "" : ` ${unit}`;
  const edges = [
    above === undefined ? "" : `above ${above}${measured}`,
    below === undefined ? "" : `below ${below}${measured}`,
  ].filter((edge) => edge !== "");
  const bounds =
    min !== undefined && max !== undefined
      ? `from ${min} to ${max}${measured}`
      : min !== undefined
        ? `of ${min}${measured} or more`
        : max !== undefined
          ? `of ${max}${measured} or less`
          : "";
  const steps = multipleOf === undefined ? "" : `in steps of ${multipleOf}`;
  const kind = schema.type === "integer" ? "a whole number" : "a number";
  return [kind, bounds, edges.join(" and "), steps].filter((words) => words !== "").join(" ");
}

function textSentence(subject: string, { schema, description }: Part, value: unknown): string {
  if (typeof value !== "string") return `${subject} must be a text.`;
  const { minLength, maxLength } = schema;
  if (typeof minLength === "number" && !fits({ type: "string", minLength }, value))
    return value === ""
      ? `${subject} must be given.`
      : `${subject} must have at least ${counted(minLength, "character")}.`;
  if (typeof maxLength === "number" && !fits({ type: "string", maxLength }, value))
    return `${subject} may have at most ${counted(maxLength, "character")}.`;
  if (/\p{Cc}/u.test(value)) return `${subject} may not have line breaks or other control characters.`;
  const refused = `${subject} cannot be “${shortened(value)}”.`;
  return description === "" ? refused : `${refused} ${description.replace(/\.?$/, ".")}`;
}

function listSentence(subject: string, { schema, description }: Part, value: unknown): string | undefined {
  if (!Array.isArray(value)) return `${subject} must be a list.`;
  const { items, minItems, maxItems } = schema;
  if (typeof minItems === "number" && value.length < minItems)
    return `${subject} must have at least ${counted(minItems, "entry", "entries")}.`;
  if (typeof maxItems === "number" && value.length > maxItems)
    return `${subject} may have at most ${counted(maxItems, "entry", "entries")}.`;
  if (!isSchema(items)) return undefined;
  const wrong: unknown = value.find((entry) => !fits(items, entry));
  return wrong === undefined
    ? undefined
    : sentence(`An entry of ${subject}`, { schema: items, description }, wrong);
}

const MOST_QUOTED = 40;
const shortened = (text: string): string =>
  text.length <= MOST_QUOTED ? text : `${text.slice(0, MOST_QUOTED - 1).toWellFormed()}…`;

const counted = (count: number, one: string, many = `${one}s`): string =>
  `${count} ${count === 1 ? one : many}`;
