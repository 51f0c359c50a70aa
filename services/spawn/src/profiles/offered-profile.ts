import { HubError, type ProfileField, type Visibility } from "@elara/contracts";
import { normalName } from "@elara/runtime/user-name";
import type { FieldKeywords } from "@elara/sdk";
import type { TSchema } from "typebox";
import type { Backend } from "../backends.ts";
import { edges, fieldFault, fieldSchema, isEmpty, narrowed } from "./field-schema.ts";
import type { ProfileEntry } from "./profile-entry.ts";
import { filledOptions, optionOf } from "./profile-options.ts";

type Options = Readonly<Record<string, unknown>>;
/** What a backend says of its options here and now, by name: the plugin's `form`. */
export type Offer = Readonly<Record<string, FieldKeywords>>;

/** A profile as it holds now: configuration, and what its backend offers. */
export interface OfferedProfile {
  readonly slug: string;
  readonly title: string;
  readonly description: string;
  /** Name of the spawner. */
  readonly backend: string;
  /** Place in the form, from 0. */
  readonly position: number;
  readonly fields: readonly ProfileField[];
  readonly visibleTo: Visibility;
  /** Options for the plugin, of which users choose none. */
  readonly options: Options;
  /** Fields with no value to begin with: the user has to say. */
  readonly needed: readonly string[];
}

/** What users choose from where nothing is configured: each spawner, as it is, for everybody. */
export const plainProfiles = (backends: readonly Pick<Backend, "name">[]): ProfileEntry[] =>
  backends.map(({ name }) => ({ slug: name, title: name, spawner: name }));

/** A configured profile with its fields; each keyword narrows what the plugin's schema says. */
export function offeredProfile(
  entry: ProfileEntry,
  position: number,
  { backend, offer }: { backend: Pick<Backend, "plugin" | "configured">; offer: Offer },
): OfferedProfile {
  const known = (name: string) => optionOf(backend.plugin, name);
  const filled = filledOptions(entry, backend.plugin);
  // In the order of whoever names them.
  const names =
    entry.fields === undefined
      ? Object.keys(backend.plugin.options.properties).filter((name) => known(name)?.userChoice === true)
      : Object.keys(entry.fields).filter((name) => isChoice(known(name)));
  const { users = [], admins = false } = entry.visibleTo ?? {};
  const begins = (name: string) => [filled.options[name], offer[name]?.default, backend.configured[name]];
  const fields = names.flatMap((name) => {
    const option = known(name);
    const own = entry.fields?.[name];
    const keywords =
      own === undefined || own === true
        ? {}
        : { ...own, ...(own.default !== undefined && { default: filled.defaults[name] }) };
    return option
      ? [offeredField(name, option, { offer: offer[name] ?? {}, keywords, begins: begins(name) })]
      : [];
  });
  // A value that does not fit must not slip in from the configuration below.
  const isNeeded = ({ name, schema }: ProfileField): boolean =>
    schema.default === undefined &&
    (backend.plugin.options.required?.includes(name) === true ||
      begins(name).some((value) => value !== undefined));
  return {
    slug: entry.slug,
    title: entry.title,
    description: entry.description ?? "",
    backend: entry.spawner,
    position,
    fields,
    visibleTo: {
      everyone: entry.visibleTo === undefined,
      users: users.map(normalName),
      admins,
    },
    options: filled.options,
    needed: fields.filter(isNeeded).map(({ name }) => name),
  };
}

/** Whether users may choose it where a profile names it. */
export const isChoice = (option: { userChoice?: unknown } | undefined): boolean =>
  option?.userChoice === true || option?.userChoice === "named";

/** Whether the plugin reads it at each start, so that a profile may set it. */
export const isPerStart = (option: { userChoice?: unknown; perStart?: unknown } | undefined): boolean =>
  isChoice(option) || option?.perStart === true;

/** `begins`: what the field may begin with; the first that fits is taken. */
function offeredField(
  name: string,
  option: TSchema & { title?: string; description?: string },
  given: { offer: FieldKeywords; keywords: FieldKeywords; begins: readonly unknown[] },
): ProfileField {
  const { offer, keywords, begins } = given;
  const { default: own, ...whole } = fieldSchema(option);
  const schema = narrowed(narrowed(whole, offer), keywords);
  const begin = [keywords.default, ...begins, own, ...edges(schema)].find(
    (value) => value !== undefined && fieldFault(schema, value) === undefined,
  );
  return {
    name,
    title: keywords.title ?? offer.title ?? option.title ?? name,
    description: keywords.description ?? offer.description ?? option.description ?? "",
    schema: { ...schema, ...(begin === undefined ? {} : { default: begin }) },
  };
}

/** What is wrong with a choice: an option that is not offered, or a value that does not fit. */
export function choiceFault(
  { fields }: Pick<OfferedProfile, "fields">,
  name: string,
  value: unknown,
): HubError | undefined {
  const field = fields.find((one) => one.name === name);
  const refuse = (message: string) => new HubError("SPAWN_OPTIONS_INVALID", { message, field: name });
  if (!field) return refuse(`The option "${name}" cannot be chosen here.`);
  const fault = fieldFault(field.schema, value);
  return fault === undefined ? undefined : refuse(`${field.title} ${fault}.`);
}

/**
 * Options for the plugin: those of the profile, what its fields begin with, and the choices over them. Throws
 * SPAWN_OPTIONS_INVALID for what the user has to say and did not.
 */
export function optionsOf(
  { options, fields, needed }: OfferedProfile,
  chosen: Options,
): Record<string, unknown> {
  const missing = fields.find(({ name }) => needed.includes(name) && chosen[name] === undefined);
  if (missing)
    throw new HubError("SPAWN_OPTIONS_INVALID", {
      message: `${missing.title} ${isEmpty(missing.schema) ? "has nothing to choose from now" : "must be given"}.`,
      field: missing.name,
    });
  const begins = fields.filter(({ schema }) => schema.default !== undefined);
  return {
    ...options,
    ...Object.fromEntries(begins.map(({ name, schema }) => [name, schema.default])),
    ...chosen,
  };
}
