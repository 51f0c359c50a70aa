import { HubError, type ProfileField } from "@elara/contracts";
import type { PublishedProfile } from "@elara/runtime/store/read/profiles";
import type { PublishedServer } from "@elara/runtime/store/read/servers";
import type { ServerWish } from "../api/server-body.ts";
import { valueFault } from "./value-fault.ts";

/** Sentences by the name of the option they are about; `profile` for the choice of profile, "" for none of them. */
export type Faults = ReadonlyMap<string, string>;

/**
 * All values that do not fit, in the order of the fields. Whether an option may be chosen at all, and what has to be said, is
 * the order's to judge.
 */
export function choiceFaults(
  fields: readonly ProfileField[],
  options: Readonly<Record<string, unknown>>,
): Faults {
  const faults = new Map<string, string>();
  for (const field of fields) {
    const fault = Object.hasOwn(options, field.name) ? valueFault(field, options[field.name]) : undefined;
    if (fault !== undefined) faults.set(field.name, fault);
  }
  return faults;
}

/** The faults as one error: all sentences, and the first field. */
export function optionsRefusal(faults: Faults): HubError {
  const [field = ""] = faults.keys();
  return new HubError("SPAWN_OPTIONS_INVALID", { message: [...faults.values()].join(" "), field });
}

/**
 * Throws SPAWN_OPTIONS_INVALID with all that is wrong in a wish, before it is ordered. The profile is found as spawn finds
 * it; one that is not offered is spawn's to refuse.
 */
export function checkWish(
  { profile, options }: ServerWish,
  offered: readonly PublishedProfile[],
  last: Pick<PublishedServer, "profile"> | undefined,
): void {
  if (options === undefined) return;
  const find = (slug: string | undefined) => offered.find(({ _id }) => _id === slug);
  const meant = profile === undefined ? (find(last?.profile) ?? offered[0]) : find(profile);
  const faults = choiceFaults(meant?.fields ?? [], options);
  if (faults.size > 0) throw optionsRefusal(faults);
}
