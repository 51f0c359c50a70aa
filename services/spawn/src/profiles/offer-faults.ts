import type { Fault } from "@elara/runtime/config/faults";
import type { ConfiguredSpawner } from "@elara/runtime/service";
import { isEmpty } from "./field-schema.ts";
import { type Offer, offeredProfile } from "./offered-profile.ts";
import type { ProfileEntry } from "./profile-entry.ts";

/** Fields of which the backends offer nothing now, by what their plugins' `form` said; for `elara check`. */
export function offerFaults(
  profiles: readonly ProfileEntry[],
  spawners: readonly ConfiguredSpawner[],
  offers: ReadonlyMap<string, Offer>,
): Fault[] {
  return profiles.flatMap((entry, index) => {
    const spawner = spawners.find(({ name }) => name === entry.spawner);
    if (!spawner) return [];
    const backend = { plugin: spawner.plugin, configured: spawner.options };
    const { fields } = offeredProfile(entry, index, { backend, offer: offers.get(entry.spawner) ?? {} });
    return fields
      .filter(({ schema }) => isEmpty(schema))
      .map(({ name }) => ({
        path: `spawn.profiles[${index}].fields.${name}`,
        message: `the spawner "${entry.spawner}" offers nothing of it now`,
      }));
  });
}
