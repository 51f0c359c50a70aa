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

/** Limits of spawners and profiles that are not there: they would hold for nobody. */
export const limitFaults = (
  { perSpawner, perProfile }: CullerConfig,
  spawners: readonly { readonly name: string }[],
  slugs: readonly string[],
): Fault[] => [
  ...unknownNames("perSpawner", perSpawner, {
    what: "spawner",
    known: spawners.map(({ name }) => name),
  }),
  ...unknownNames("perProfile", perProfile, { what: "profile", known: slugs }),
];

const unknownNames = (
  option: string,
  limits: object,
  { what, known }: { what: string; known: readonly string[] },
): Fault[] =>
  Object.keys(limits)
    .filter((name) => !known.includes(name))
    .map((name) => {
      const meant = nearest(name, known);
      const hint = meant ? `did you mean \`${meant}\`?` : `known here: ${known.join(", ")}`;
      return { path: `${option}.${name}`, message: `there is no ${what} "${name}"; ${hint}` };
    });
