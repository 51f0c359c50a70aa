import type { Server } from "@elara/contracts";
import type { Fault } from "@elara/runtime/config/faults";
import { nearest } from "@elara/runtime/config/nearest";
import type { CullerConfig } from "./config.ts";

/** When a server is ended without being asked to; 0: never. */
export interface Limits {
  readonly idleSeconds: number;
  readonly maxAgeSeconds: number;
}

/** The limits of this server: those of its profile, then of its spawner, then of all. */
export function limitsOf(
  { idleSeconds, maxAgeSeconds, perSpawner, perProfile }: CullerConfig,
  { backend, profile }: Pick<Server, "backend" | "profile">,
): Limits {
  return { idleSeconds, maxAgeSeconds, ...perSpawner[backend], ...perProfile[profile] };
}

/** Whether any server can ever be ended. */
export const endsAny = ({ idleSeconds, maxAgeSeconds, perSpawner, perProfile }: CullerConfig): boolean =>
  [{ idleSeconds, maxAgeSeconds }, ...Object.values(perSpawner), ...Object.values(perProfile)].some(
    (limits) => (limits.idleSeconds ?? 0) > 0 || (limits.maxAgeSeconds ?? 0) > 0,
  );

/** Limits of spawners that are not there: they would hold for nobody. */
export function limitFaults(
  { perSpawner }: CullerConfig,
  spawners: readonly { readonly name: string }[],
): Fault[] {
  const names = spawners.map(({ name }) => name);
  return Object.keys(perSpawner)
    .filter((name) => !names.includes(name))
    .map((name) => {
      const meant = nearest(name, names);
      const hint = meant ? `did you mean \`${meant}\`?` : `known here: ${names.join(", ")}`;
      return { path: `perSpawner.${name}`, message: `there is no spawner "${name}"; ${hint}` };
    });
}
