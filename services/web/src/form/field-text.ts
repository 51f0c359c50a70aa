import type { Choice, Control } from "./control.ts";

/** The value of a field as the form holds it: one text, several for checkboxes, none when nothing was said. */
export type Entered = readonly string[];

/** A value as the form shows it; undefined when this control cannot show it, for instance a choice that is gone. */
export function enteredOf(control: Control, value: unknown): Entered | undefined {
  if (value === undefined || value === null) return undefined;
  switch (control.kind) {
    case "select": {
      const found = control.choices.find((choice) => choice.value === value);
      return found && [found.text];
    }
    case "checkbox":
      return typeof value === "boolean" ? [String(value)] : undefined;
    case "number":
      return typeof value === "number" ? [String(value)] : undefined;
    case "text":
      return typeof value === "string" ? [value] : undefined;
    case "checkboxes":
      return isTexts(value) ? value.filter((text) => has(control.choices, text)) : undefined;
    case "lines":
      return isTexts(value) ? [value.join("\n")] : undefined;
  }
}

/**
 * What was entered, as a value of the type the schema wants; undefined when nothing was said. What does not fit the type
 * stays a text: the order is refused then, with a sentence for this field.
 */
export function typedValue(control: Control, entered: Entered): unknown {
  const last = entered.at(-1);
  switch (control.kind) {
    case "select":
      return last === undefined || last === "" ? undefined : chosen(control.choices, last);
    case "checkbox":
      return last === undefined ? undefined : isYes(last) ? true : isNo(last) ? false : last;
    case "number":
      return last === undefined || last.trim() === "" ? undefined : numberOf(last);
    case "text":
      return last;
    case "checkboxes":
      return entered.filter((text) => text !== "").map((text) => chosen(control.choices, text));
    case "lines":
      return last
        ?.split("\n")
        .map((line) => line.trim())
        .filter((line) => line !== "");
  }
}

/** Whether a field was sent more than once, though one value is all it has. A tick box sends its "no" first. */
export function isTwice(control: Control | undefined, entered: Entered): boolean {
  if (entered.length < 2 || control?.kind === "checkboxes") return false;
  return control?.kind !== "checkbox" || entered.join() !== "false,true";
}

/** What a page can show of a text: no control characters, no halves of characters; lists keep their lines. */
export const showable = ({ kind }: Control, text: string): string =>
  text.replaceAll(kind === "lines" ? /[^\P{Cc}\n]/gu : /\p{Cc}/gu, "").toWellFormed();

/** Whether a checkbox is ticked. */
export const isTicked = (entered: Entered): boolean => isYes(entered.at(-1) ?? "");

const isYes = (text: string): boolean => ["true", "on", "1", "yes"].includes(text.toLowerCase());
const isNo = (text: string): boolean => ["false", "off", "0", "no", ""].includes(text.toLowerCase());

const numberOf = (text: string): number | string => {
  const value = Number(text);
  return Number.isFinite(value) ? value : text;
};

const has = (choices: readonly Choice[], text: string): boolean => choices.some((one) => one.text === text);

const chosen = (choices: readonly Choice[], text: string): unknown =>
  (choices.find((one) => one.text === text) ?? { value: text }).value;

const isTexts = (value: unknown): value is string[] =>
  Array.isArray(value) && value.every((part) => typeof part === "string");
