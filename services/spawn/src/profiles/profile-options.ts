import { withDefaults } from "@elara/runtime/config/resolve";
import type { SpawnerPlugin } from "@elara/sdk";
import type { TSchema } from "typebox";
import type { ProfileEntry } from "./profile-entry.ts";

/** An option's schema with what plugins mark in it. */
export type OptionSchema = TSchema & {
  readonly userChoice?: unknown;
  readonly perStart?: unknown;
  readonly secret?: unknown;
};

/** The option of a plugin by this name, whatever the name is. */
export const optionOf = (
  { options }: Pick<SpawnerPlugin, "options">,
  name: string,
): OptionSchema | undefined =>
  Object.hasOwn(options.properties, name) ? options.properties[name] : undefined;

/** What a profile sets, and what its fields begin with; defaults inside lists are filled in as in a spawner's options. */
export function filledOptions(
  { options = {}, fields = {} }: Pick<ProfileEntry, "options" | "fields">,
  plugin: Pick<SpawnerPlugin, "options">,
): { readonly options: Record<string, unknown>; readonly defaults: Record<string, unknown> } {
  const filled = (given: readonly (readonly [string, unknown])[]) =>
    Object.fromEntries(
      given.map(([name, value]) => {
        const schema = optionOf(plugin, name);
        return [name, schema ? withDefaults(schema, value) : value];
      }),
    );
  const begins = Object.entries(fields).flatMap(([name, field]) =>
    field === true || field.default === undefined ? [] : [[name, field.default] as const],
  );
  return { options: filled(Object.entries(options)), defaults: filled(begins) };
}
