import { choiceOf, type FieldSchema, fieldFault, listed } from "./field-schema.ts";
import { fittingOptions } from "./fitting-options.ts";
import { type Offer, offeredProfile, optionsOf } from "./offered-profile.ts";
import { namesOption, type Ruled, refusal, wordsOf } from "./plugin-rules.ts";
import type { ProfileEntry } from "./profile-entry.ts";

type Options = Record<string, unknown>;

/**
 * Values that profiles offer by `enum`, `minimum` or `maximum` and their plugin refuses whichever way the other fields are
 * chosen, in words; for `elara check`. Of what nobody can tell now nothing is said.
 */
export async function valueFaults(
  profiles: readonly ProfileEntry[],
  spawners: readonly Ruled[],
  { offers, ms }: { offers: ReadonlyMap<string, Offer>; ms: number },
): Promise<string[]> {
  const faults = profiles.map(async (entry, index) => {
    const ruled = spawners.find(({ name }) => name === entry.spawner);
    if (!ruled?.spawner.checkOptions) return [];
    return faultsOfProfile(entry, index, { ruled, offer: offers.get(entry.spawner) ?? {}, ms });
  });
  return (await Promise.all(faults)).flat();
}

async function faultsOfProfile(
  entry: ProfileEntry,
  index: number,
  { ruled, offer, ms }: { ruled: Ruled; offer: Offer; ms: number },
): Promise<string[]> {
  const profile = offeredProfile(entry, index, { backend: ruled, offer });
  const begins: Options = { ...ruled.configured, ...optionsOf({ ...profile, needed: [] }, {}) };
  /** What the rules say; undefined: they allow it, or the schema tells of it. */
  const ask = async (options: Options): Promise<unknown> => {
    const whole = fittingOptions(ruled.plugin, { ...begins, ...options });
    return whole.fault ? undefined : refusal(ruled, whole.options, ms);
  };
  const before = await ask({});
  // Who does not answer once is not asked for each value.
  if (before !== undefined && !namesOption(before)) return [];
  const faults: string[] = [];
  for (const { name, schema } of profile.fields) {
    const others = profile.fields.filter((field) => field.name !== name);
    const choices = others.flatMap((other) =>
      values(other.schema).map((value): Options => ({ [other.name]: value })),
    );
    for (const [keyword, value] of said(entry, name, schema)) {
      const error = await ask({ [name]: value });
      // What is wrong whatever is chosen here is told of the profile.
      if (!namesOption(error) || (error.field !== name && before !== undefined)) continue;
      let isPossible = false;
      for (const choice of choices) isPossible ||= !namesOption(await ask({ ...choice, [name]: value }));
      if (isPossible) continue;
      const at = `spawn.profiles[${index}].fields.${name}.${keyword}`;
      const words = wordsOf(error, ruled, "");
      faults.push(`${at}: ${error.field === name ? words.replace(/^\S+: /, "") : words.slice(1)}`);
    }
  }
  return faults;
}

/** Values that can stand in a field, as far as they can be listed: those of a list, bounds. */
const values = (schema: FieldSchema): unknown[] => {
  const choice = choiceOf(schema);
  const bounds = choice.type === "boolean" ? [false, true] : [choice.minimum, choice.maximum];
  const all = listed(choice) ?? bounds.filter((bound) => bound !== undefined);
  return choice === schema ? [...all] : all.map((value) => [value]);
};

/** What the profile itself names of a field, by its keyword. What the form begins with is held to the rules already. */
function said({ fields = {} }: ProfileEntry, name: string, schema: FieldSchema): [string, unknown][] {
  const field = fields[name];
  if (field === undefined || field === true) return [];
  const all: [string, unknown][] = [
    ...(field.enum ?? []).map((value, at): [string, unknown] => [`enum[${at}]`, value]),
    ["minimum", field.minimum],
    ["maximum", field.maximum],
  ];
  const isList = choiceOf(schema) !== schema;
  return all
    .filter(([, value]) => value !== undefined)
    .map(([keyword, value]): [string, unknown] => [keyword, isList ? [value] : value])
    .filter(([, value]) => fieldFault(schema, value) === undefined);
}
