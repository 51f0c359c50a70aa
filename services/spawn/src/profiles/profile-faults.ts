import { type Fault, faultsOf } from "@elara/runtime/config/faults";
import { nearest } from "@elara/runtime/config/nearest";
import { withDefaults } from "@elara/runtime/config/resolve";
import { writtenSchema } from "@elara/runtime/config/schema";
import type { ConfiguredSpawner } from "@elara/runtime/service";
import { isValidName, normalName } from "@elara/runtime/user-name";
import type { FieldKeywords } from "@elara/sdk";
import type { TSchema } from "typebox";
import { type FieldSchema, fieldFault, fieldSchema, isEmpty, narrowed } from "./field-schema.ts";
import { isChoice, isPerStart } from "./offered-profile.ts";
import { Narrowing, type ProfileEntry } from "./profile-entry.ts";
import { optionOf } from "./profile-options.ts";

/** What is wrong with the profiles of a configuration, each fault at its path (`profiles[0].fields.image.enum[1]`). */
export function profileFaults(
  profiles: readonly ProfileEntry[],
  spawners: readonly ConfiguredSpawner[],
): Fault[] {
  const faults: Fault[] = [];
  const slugs = new Map<string, number>();
  for (const [index, profile] of profiles.entries()) {
    const path = `profiles[${index}]`;
    const first = slugs.get(profile.slug);
    if (first === undefined) slugs.set(profile.slug, index);
    else
      faults.push({ path: `${path}.slug`, message: `is "${profile.slug}", as profiles[${first}].slug is` });
    const { visibleTo } = profile;
    if (visibleTo && !visibleTo.admins && !visibleTo.users?.length)
      faults.push({ path: `${path}.visibleTo`, message: "names nobody; leave it out to offer it to all" });
    for (const [at, user] of (visibleTo?.users ?? []).entries())
      if (!isValidName(normalName(user)))
        faults.push({
          path: `${path}.visibleTo.users[${at}]`,
          message: `"${user}" can be nobody's name: letters, digits and ._@+- only, 64 at most`,
        });
    const spawner = spawners.find(({ name }) => name === profile.spawner);
    if (spawner) faults.push(...optionFaults(profile, spawner, path));
    else {
      const names = spawners.map(({ name }) => name);
      faults.push({
        path: `${path}.spawner`,
        message: `there is no spawner "${profile.spawner}"; ${hint(profile.spawner, names)}`,
      });
    }
  }
  return faults;
}

const hint = (word: string, known: readonly string[]): string => {
  const meant = nearest(word, known);
  return meant ? `did you mean \`${meant}\`?` : `known here: ${known.join(", ") || "none"}`;
};

/** Options and fields, held against the plugin's own options. */
function* optionFaults(
  { options = {}, fields = {} }: ProfileEntry,
  { name, plugin }: ConfiguredSpawner,
  path: string,
): Generator<Fault> {
  const known = Object.keys(plugin.options.properties);
  for (const [option, value] of Object.entries(options)) {
    const at = `${path}.options.${option}`;
    const schema = optionOf(plugin, option);
    if (!schema) yield { path: at, message: unknownOption(name, option, known) };
    else if (schema.secret)
      yield { path: at, message: "is a secret; it belongs to the options of the spawner" };
    else if (!isPerStart(schema))
      yield {
        path: at,
        message: `cannot be set by a profile; it belongs to the options of the spawner "${name}"`,
      };
    else yield* faultsOf(writtenSchema(schema), value, at);
  }
  for (const [option, keywords] of Object.entries(fields)) {
    const at = `${path}.fields.${option}`;
    const schema = optionOf(plugin, option);
    const choices = known.filter((key) => isChoice(optionOf(plugin, key)));
    if (!schema) yield { path: at, message: unknownOption(name, option, choices) };
    else if (!isChoice(schema))
      yield { path: at, message: `is no choice of users; the spawner "${name}" offers: ${list(choices)}` };
    else if (keywords !== true) {
      const malformed = faultsOf(Narrowing, keywords, at);
      yield* malformed.length > 0 ? malformed : narrowingFaults(schema, keywords, at);
    }
    const isNarrowed = schema && keywords !== true && faultsOf(Narrowing, keywords).length === 0;
    if (!isNarrowed || !Object.hasOwn(options, option)) continue;
    const value = withDefaults(schema, options[option]);
    const outside = fieldFault(narrowed(fieldSchema(schema), keywords), value);
    if (outside && fieldFault(fieldSchema(schema), value) === undefined)
      yield { path: `${path}.options.${option}`, message: `is outside its field: ${outside}` };
  }
}

const list = (names: readonly string[]): string => names.join(", ") || "none";
const unknownOption = (spawner: string, option: string, known: readonly string[]): string =>
  `is no option of the spawner "${spawner}"; ${hint(option, known)}`;

/** Keywords that widen, do not fit the option's type, or leave nothing. */
function* narrowingFaults(option: TSchema, keywords: FieldKeywords, path: string): Generator<Fault> {
  const schema = fieldSchema(option);
  const { enum: values, minimum, maximum, pattern } = keywords;
  for (const [index, value] of (values ?? []).entries()) {
    const fault = fieldFault(schema, value);
    if (fault) yield { path: `${path}.enum[${index}]`, message: fault };
  }
  const isNumber = schema.type === "integer" || schema.type === "number";
  for (const [key, value] of Object.entries({ minimum, maximum })) {
    if (value === undefined) continue;
    const at = `${path}.${key}`;
    const own = schema[key];
    const isWider = typeof own === "number" && (key === "minimum" ? value < own : value > own);
    if (!isNumber) yield { path: at, message: `has no meaning: the option is ${kindOf(schema)}` };
    else if (isWider)
      yield { path: at, message: `is ${value}, the spawner's own is ${own}; it can only narrow` };
  }
  if (pattern !== undefined && schema.type !== "string")
    yield { path: `${path}.pattern`, message: `has no meaning: the option is ${kindOf(schema)}` };
  else if (pattern !== undefined && !isPattern(pattern)) {
    yield { path: `${path}.pattern`, message: "is no regular expression" };
    return;
  }
  const left = narrowed(schema, keywords);
  if (isEmpty(left)) yield { path, message: "leaves nothing to choose" };
  else if (keywords.default !== undefined) {
    const fault = fieldFault(left, withDefaults(option, keywords.default));
    if (fault) yield { path: `${path}.default`, message: fault };
  }
}

const kindOf = ({ type, enum: values }: FieldSchema): string =>
  Array.isArray(values) ? "one of a list" : `of type ${String(type ?? "unknown")}`;

function isPattern(pattern: string): boolean {
  try {
    new RegExp(pattern, "u");
    return true;
  } catch {
    return false;
  }
}
