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
  if (choices) return `${subject} has to be one of ${listed(choices)}.`;
  switch (schema.type) {
    case "boolean":
      return `${subject} has to be true or false.`;
    case "integer":
    case "number":
      return `${subject} has to be ${numberWords(schema)}.`;
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
          ? `of ${max}${measured} at most`
          : "";
  const steps = multipleOf === undefined ? "" : `in steps of ${multipleOf}`;
  const kind = schema.type === "integer" ? "a whole number" : "a number";
  return [kind, bounds, edges.join(" and "), steps].filter((words) => words !== "").join(" ");
}

function textSentence(subject: string, { schema, description }: Part, value: unknown): string {
  if (typeof value !== "string") return `${subject} has to be a text.`;
  const { minLength, maxLength, examples } = schema;
  if (typeof minLength === "number" && !fits({ type: "string", minLength }, value))
    return value === ""
      ? `${subject} has to be said.`
      : `${subject} has to have ${counted(minLength, "character")} at least.`;
  if (typeof maxLength === "number" && !fits({ type: "string", maxLength }, value))
    return `${subject} may have ${counted(maxLength, "character")} at most.`;
  if (/\p{Cc}/u.test(value)) return `${subject} may not have line breaks or other control characters.`;
  if (description !== "") return `${subject} does not fit. ${description.replace(/\.?$/, ".")}`;
  if (Array.isArray(examples) && examples.length > 0)
    return `${subject} does not fit. Such as ${examples.join(" or ")}.`;
  return `${subject} does not have the form that is asked for.`;
}

function listSentence(subject: string, { schema, description }: Part, value: unknown): string | undefined {
  if (!Array.isArray(value)) return `${subject} has to be a list.`;
  const { items, minItems, maxItems } = schema;
  if (typeof minItems === "number" && value.length < minItems)
    return `${subject} has to have ${counted(minItems, "entry", "entries")} at least.`;
  if (typeof maxItems === "number" && value.length > maxItems)
    return `${subject} may have ${counted(maxItems, "entry", "entries")} at most.`;
  if (!isSchema(items)) return undefined;
  const wrong: unknown = value.find((entry) => !fits(items, entry));
  return wrong === undefined
    ? undefined
    : sentence(`${subject}: “${String(wrong)}”`, { schema: items, description }, wrong);
}

const counted = (count: number, one: string, many = `${one}s`): string =>
  `${count} ${count === 1 ? one : many}`;
