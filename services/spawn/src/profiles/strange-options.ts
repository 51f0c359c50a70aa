import { HubError } from "@elara/contracts";
import type { SpawnParts } from "../parts.ts";
import type { OfferedProfile } from "./offered-profile.ts";

type Options = Readonly<Record<string, unknown>>;
type Known = Pick<SpawnParts, "config" | "backends" | "profiles">;

/** What is kept only for who sent it may take so much of a server's record. */
const MOST_BYTES = 16_384;

/** Options that fields of the profile are for, and those that are kept and not handed on. */
export interface Sorted {
  readonly own: Options;
  readonly strange: Options;
}

/**
 * Sorts out what the spawner does not have, where the configuration keeps it; else all are `own`, to be checked as such.
 * An option of the spawner that is not offered is never strange: who sends it means it.
 */
export function sorted(parts: Known, profile: OfferedProfile, options: Options): Sorted {
  const all = Object.entries(options);
  const strange = all.filter(([name]) => isStrange(parts, profile, name));
  const own = all.filter((one) => !strange.includes(one));
  return { own: Object.fromEntries(own), strange: Object.fromEntries(strange) };
}

function isStrange({ config, backends }: Known, { backend }: OfferedProfile, name: string): boolean {
  if (config.unknownOptions !== "keep") return false;
  // Where there are profiles to choose from, the word means one of them.
  if (name === "profile") return config.profiles.length === 0;
  return !Object.hasOwn(backends.get(backend)?.plugin.options.properties ?? {}, name);
}

/** Throws SPAWN_OPTIONS_INVALID when what is to be kept is too long. */
export function checkLength({ strange }: Sorted): void {
  const [name] = Object.keys(strange);
  if (name === undefined || Buffer.byteLength(JSON.stringify(strange)) <= MOST_BYTES) return;
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
