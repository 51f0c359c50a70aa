import type { ConfiguredSpawner } from "@elara/runtime/service";
import { isLocal } from "@elara/runtime/shared-account";

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** `authenticators: ["pam"]` is short for `[{ use: "pam" }]`; the same for spawners. */
export function withLongEntries(written: unknown): unknown {
  if (!isRecord(written)) return written;
  const long = (list: unknown): unknown =>
    Array.isArray(list) ? list.map((entry) => (typeof entry === "string" ? { use: entry } : entry)) : list;
  const changed = { ...written };
  for (const key of ["authenticators", "spawners"]) if (key in changed) changed[key] = long(changed[key]);
  return changed;
}

/**
 * Where PAM lets people in and the hub is root, local servers run as the people's own accounts unless the
 * configuration says otherwise: else everybody would be root.
 */
export function withSystemAccounts(
  spawners: readonly ConfiguredSpawner[],
  given: { isPam: boolean; said: readonly Record<string, unknown>[]; isRoot: boolean },
): ConfiguredSpawner[] {
  return spawners.map((spawner, index) =>
    isLocal(spawner) && given.said[index]?.systemAccounts === undefined && given.isPam && given.isRoot
      ? { ...spawner, options: { ...spawner.options, systemAccounts: true } }
      : spawner,
  );
}

/** Slugs of the profiles there are: those configured, else one for each spawner, by its name. */
export function profileSlugs(filled: unknown, spawners: readonly { readonly name: string }[]): string[] {
  const { profiles }: { profiles?: unknown } = Object(Object(filled).spawn);
  const configured = Array.isArray(profiles) ? profiles.map((profile) => String(Object(profile).slug)) : [];
  return configured.length > 0 ? configured : spawners.map(({ name }) => name);
}
