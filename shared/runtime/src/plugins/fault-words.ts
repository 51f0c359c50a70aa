import { inspect } from "node:util";
import { codeOf, ERRORS, type ErrorCode, HubError } from "@elara/contracts";
import type { PluginErrors } from "@elara/sdk";
import type { TSchema } from "typebox";
import { isList, isSection } from "../config/schema.ts";
import { isSecretSchema } from "../config/secret.ts";

/** Of detail and each cause so much is shown. */
const MOST = 240;
const CAUSES = 3;

/** What an operator is to read of an error: its code and sentence. */
export function faultWords(error: unknown): string {
  const code = codeOf(error);
  return `${code === "" ? "" : `${code}: `}${sentenceOf(error)}`;
}

/** Where a plugin stands in the configuration, and what is known of it. */
export interface PluginPlace {
  /** None of them stands in the words, whoever put it there. */
  readonly secrets: readonly string[];
  /** Path of the plugin's options, `spawners[0].options`; told where the error names one. */
  readonly path: string;
  readonly errors: PluginErrors;
}

/** The same of what a plugin threw: at the option's path if it names one, with its own words, its detail and causes. */
export function pluginFaultWords(error: unknown, { secrets, path, errors }: PluginPlace): string {
  const hidden = hiding(secrets);
  let words = hidden(placed(error, path));
  const said = hidden(sentenceOf(error));
  const more: string[] = [];
  for (const part of partsOf(error, errors)) {
    const text = shortened(hidden(part));
    if (
      text === "" ||
      words.includes(text) ||
      said.includes(text) ||
      more.some((known) => known.includes(text))
    )
      continue;
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

/** The path, the code, the sentence. A sentence may begin with the option's own path, `volumes[1].source: …`. */
function placed(error: unknown, path: string): string {
  if (!(error instanceof HubError) || error.field === "") return faultWords(error);
  const { field, code } = error;
  const sentence = sentenceOf(error);
  const [, option = field, rest = sentence] = sentence.startsWith(field)
    ? (/^(\S+?): (.*)$/s.exec(sentence) ?? [])
    : [];
  return `${path}.${option}: ${code}: ${rest}`;
}

function sentenceOf(error: unknown): string {
  if (error instanceof HubError) return error.operator || error.message;
  // What a connection tried at several addresses could not do has no message of its own.
  return error instanceof Error ? error.message || codeOf(error) || error.name : textOf(error);
}

const textOf = (value: unknown): string =>
  typeof value === "string" ? value : inspect(value, { depth: 3, breakLength: Number.POSITIVE_INFINITY });

/** What an error says for users if it is no word of its table, its detail, then its causes, each with its detail. */
function* partsOf(error: unknown, errors: PluginErrors): Generator<string> {
  if (error instanceof HubError) {
    const known = errors[error.code] ?? ERRORS[error.code as ErrorCode];
    if (![known?.user, error.code].includes(error.message)) yield error.message;
  }
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
export function hiding(secrets: readonly string[]): (text: string) => string {
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
