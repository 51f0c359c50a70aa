import { inspect } from "node:util";
import { codeOf, HubError } from "@elara/contracts";
import { isList, isSection } from "@elara/runtime/config/schema";
import { isSecretSchema } from "@elara/runtime/config/secret";
import type { TSchema } from "typebox";

/** Of detail and each cause so much is shown. */
const MOST = 240;
const CAUSES = 3;

/** What an operator is to read of an error: its code and sentence. */
export function faultWords(error: unknown): string {
  const code = codeOf(error);
  return `${code === "" ? "" : `${code}: `}${sentenceOf(error)}`;
}

/** The same of what a plugin threw, with its detail and causes. None of `secrets` stands in it, whoever put it there. */
export function pluginFaultWords(error: unknown, secrets: readonly string[]): string {
  const hidden = hiding(secrets);
  let words = hidden(faultWords(error));
  const more: string[] = [];
  for (const part of partsOf(error)) {
    const text = shortened(hidden(part));
    if (text === "" || words.includes(text) || more.some((known) => known.includes(text))) continue;
    more.push(text);
  }
  if (more.length > 0) words += ` (${more.join("; ")})`;
  return words;
}

/** The values in `options` that their schema marks as secret. */
export function secretsIn(schema: TSchema, options: unknown): string[] {
  if (isSecretSchema(schema)) return typeof options === "string" && options !== "" ? [options] : [];
  if (isList(schema) && Array.isArray(options))
    return options.flatMap((entry: unknown) => secretsIn(schema.items, entry));
  if (!isSection(schema)) return [];
  return Object.entries(schema.properties).flatMap(([key, property]) =>
    secretsIn(property, Object(options)[key]),
  );
}

function sentenceOf(error: unknown): string {
  if (error instanceof HubError) return error.operator || error.message;
  // What a connection tried at several addresses could not do has no message of its own.
  return error instanceof Error ? error.message || codeOf(error) || error.name : textOf(error);
}

const textOf = (value: unknown): string =>
  typeof value === "string" ? value : inspect(value, { depth: 3, breakLength: Number.POSITIVE_INFINITY });

/** Detail of an error, then its causes, each with its detail. */
function* partsOf(error: unknown): Generator<string> {
  let here = error;
  for (let depth = 0; depth <= CAUSES && here !== undefined; depth += 1) {
    if (depth > 0) yield sentenceOf(here);
    const { detail, cause }: { detail?: unknown; cause?: unknown } = Object(here);
    if (detail !== undefined) yield detail instanceof Error ? sentenceOf(detail) : textOf(detail);
    here = cause;
  }
}

const shortened = (text: string): string => {
  const line = text.replaceAll(/\s+/g, " ").trim();
  return line.length > MOST ? `${line.slice(0, MOST - 1)}…` : line;
};

/** Takes secrets out of a text, also lines of them and as they look in JSON, URLs and headers. */
function hiding(secrets: readonly string[]): (text: string) => string {
  const looks = secrets.flatMap((secret) => [
    secret,
    ...secret.split("\n").filter((line) => line.trim().length >= 8),
    JSON.stringify(secret).slice(1, -1),
    inspect(secret).slice(1, -1),
    encodeURIComponent(secret),
    ...(["base64", "base64url"] as const).map((coding) => Buffer.from(secret).toString(coding)),
  ]);
  const longestFirst = [...new Set(looks)].filter(Boolean).sort((a, b) => b.length - a.length);
  return (text) => longestFirst.reduce((rest, look) => rest.replaceAll(look, "[secret]"), text);
}
