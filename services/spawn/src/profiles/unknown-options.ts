import { HubError } from "@elara/contracts";
import type { SpawnParts } from "../parts.ts";
import type { OfferedProfile } from "./offered-profile.ts";

type Options = Readonly<Record<string, unknown>>;
type Known = Pick<SpawnParts, "config" | "backends" | "profiles">;

/** What is kept only for who sent it may take so much of a server's record. */
const MOST_BYTES = 16_384;

/** Options of a start: those for its spawner, and those that it does not have, which are kept and not handed on. */
export interface SplitOptions {
  readonly own: Options;
  readonly unknown: Options;
}

/**
 * Splits off what the spawner does not have, where the configuration keeps it; else all are `own`, to be checked as such.
 * An option of the spawner that is not offered is never unknown: who sends it means it.
 */
export function splitUnknown(parts: Known, profile: OfferedProfile, options: Options): SplitOptions {
  const all = Object.entries(options);
  const unknown = all.filter(([name]) => isUnknown(parts, profile, name));
  const own = all.filter((one) => !unknown.includes(one));
  return { own: Object.fromEntries(own), unknown: Object.fromEntries(unknown) };
}

function isUnknown({ config, backends }: Known, { backend }: OfferedProfile, name: string): boolean {
  if (config.unknownOptions !== "keep") return false;
  // Where there are profiles to choose from, the word means one of them.
  if (name === "profile") return config.profiles.length === 0;
  return !Object.hasOwn(backends.get(backend)?.plugin.options.properties ?? {}, name);
}

/** Throws SPAWN_OPTIONS_INVALID when what is to be kept is too long. */
export function checkLength({ unknown }: SplitOptions): void {
  const [name] = Object.keys(unknown);
  if (name === undefined || Buffer.byteLength(JSON.stringify(unknown)) <= MOST_BYTES) return;
  throw new HubError("SPAWN_OPTIONS_INVALID", {
    message: `Options that the spawner does not have may take ${MOST_BYTES} bytes together.`,
    field: name,
  });
}

/**
 * A wish that names no profile there is, where nobody configured any and unknown options are kept: the name is one of
 * those, for clients that choose what another hub offered.
 */
export function withProfileKept<
  W extends { readonly profile?: string | undefined; options?: Options | undefined },
>({ config, profiles }: Known, wish: W): W {
  const { profile, options = {} } = wish;
  const isKept =
    profile !== undefined &&
    config.unknownOptions === "keep" &&
    config.profiles.length === 0 &&
    profiles.get(profile) === undefined;
  return isKept ? { ...wish, profile: undefined, options: { profile, ...options } } : wish;
}
