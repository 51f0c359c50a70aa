import type { ProfileField } from "@elara/contracts";
import { type Control, controlOf, unitOf } from "./control.ts";
import { type Entered, enteredOf, isTicked, showable } from "./field-text.ts";

/** A field as the template writes it. */
export interface FieldView {
  /** Name in the form, `small.memory`: fields of all profiles stand in one form. */
  readonly key: string;
  readonly id: string;
  readonly title: string;
  readonly description: string;
  readonly unit: string;
  /** What numbers are accepted, in words; "" where nothing needs saying. */
  readonly range: string;
  readonly kind: Control["kind"];
  /** The whole text of a `text`, `number` or `lines`. */
  readonly text: string;
  readonly isTicked: boolean;
  readonly choices: readonly { readonly text: string; readonly title: string; readonly isChosen: boolean }[];
  readonly min: string;
  readonly max: string;
  readonly step: string;
  readonly inputMode: string;
  readonly pattern: string;
  readonly minLength: string;
  readonly maxLength: string;
  readonly isRequired: boolean;
  /** Why what was entered is refused, "" when it is not. */
  readonly error: string;
}

/** Where what a field shows comes from, the first that has something. */
export interface FieldSources {
  /** Texts of the form that came back, or of the query. */
  readonly entered: Entered | undefined;
  /** Value of the last start. */
  readonly last: unknown;
  readonly error: string;
}

/** The key of a field in the form. */
export const fieldKey = (slug: string, name: string): string => `${slug}.${name}`;

/** A field with what it shows; undefined for what no form can ask. */
export function fieldView(
  slug: string,
  field: ProfileField,
  { entered, last, error }: FieldSources,
): FieldView | undefined {
  const control = controlOf(field);
  if (!control) return undefined;
  const shown = (entered ?? enteredOf(control, last) ?? enteredOf(control, field.schema.default) ?? []).map(
    (text) => showable(control, text),
  );
  const key = fieldKey(slug, field.name);
  const range = rangeOf(control, unitOf(field));
  return {
    key,
    id: key.replaceAll(/[^\w-]/g, "-"),
    title: field.title || field.name,
    // What is right is said once, by the error if there is one.
    description: error.includes(field.description) ? "" : field.description,
    unit: unitOf(field),
    range: error.includes(range) ? "" : range,
    text: shown.at(-1) ?? "",
    isTicked: isTicked(shown),
    ...NO_BOUNDS,
    ...control,
    choices: ("choices" in control ? control.choices : []).map(({ text, title }) => ({
      text,
      title,
      isChosen: shown.includes(text),
    })),
    inputMode: control.kind === "number" && control.isInteger ? "numeric" : "decimal",
    isRequired: isRequired(control, field),
    error,
  };
}

const NO_BOUNDS = { min: "", max: "", step: "", pattern: "", minLength: "", maxLength: "" };

/** A text may be empty where empty is a value; everything else that stands alone has to be said. */
function isRequired(control: Control, { schema }: ProfileField): boolean {
  if (control.kind === "number" || control.kind === "select") return true;
  if (control.kind !== "text") return false;
  return typeof schema.default !== "string" || Number(control.minLength) > 0;
}

function rangeOf(control: Control, unit: string): string {
  if (control.kind !== "number") return "";
  const { min, max } = control;
  const measured = unit === "" ? "" : ` ${unit}`;
  if (min !== "" && max !== "") return `${min} to ${max}${measured}`;
  if (min !== "") return `${min}${measured} or more`;
  return max === "" ? "" : `${max}${measured} or less`;
}
