import { HubError, type Server } from "@elara/contracts";
import { isVisible } from "@elara/runtime/store/read/profiles";
import { bounded } from "../bounded.ts";
import type { SpawnParts } from "../parts.ts";
import { choiceFault, type OfferedProfile, optionsOf } from "./offered-profile.ts";
import { namesOption } from "./plugin-rules.ts";
import { checkLength, splitUnknown, withProfileKept } from "./unknown-options.ts";

type Options = Record<string, unknown>;

/** What an order says of a start. */
export interface Wish {
  readonly userId: string;
  readonly userName: string;
  readonly profile?: string | undefined;
  readonly options?: Options | undefined;
}

/** What a server is started with. */
export interface Choice {
  readonly profile: string;
  /** It was named, now or at the last start. */
  readonly profileAsked: boolean;
  readonly backend: string;
  /** What the user chose, without what the profile adds. */
  readonly options: Options;
}

/** What was chosen last and is not offered any more: options by name, or the profile. */
export interface Dropped {
  readonly profile: boolean;
  readonly options: readonly string[];
}

/** An order is to be answered soon: a backend that has to be asked about its rules gets so long. */
const RULES_MS = 1_000;

const NOTHING: Dropped = { profile: false, options: [] };

/**
 * Profile and options of a start. What the order says is checked and refused by name; what it leaves to the last start
 * (`last`) gives way to defaults where it is not offered any more, so that nobody is locked out. Throws
 * SPAWN_PROFILE_UNKNOWN, SPAWN_OPTIONS_INVALID, an error of the plugin that names an option, USER_NOT_FOUND, STORE_AWAY.
 */
export async function choose(
  parts: SpawnParts,
  given: Wish,
  last?: Pick<Server, "profile" | "profileAsked" | "options">,
): Promise<Choice & { readonly dropped: Dropped }> {
  const wish = withProfileKept(parts, given);
  const profile = await profileFor(parts, wish, last?.profile);
  // A record from before there were profiles has none.
  const isLast = last !== undefined && ["", profile.slug].includes(last.profile);
  const isGone = last !== undefined && !isLast && wish.profile === undefined;
  const profileAsked = wish.profile !== undefined || (isLast && last.profileAsked === true);
  const answer = async (options: Options, dropped: Dropped) => {
    const backend = backendOf(parts, profile);
    const whole = backend.options(optionsOf(profile, splitUnknown(parts, profile, options).own));
    await bounded(RULES_MS, (signal) => backend.check(whole, signal)).catch((error: unknown) => {
      if (namesOption(error)) throw error;
      // Asked once more before it is submitted.
      parts.log.debug({ backend: backend.name, err: error }, "options not held to the rules yet");
    });
    return { profile: profile.slug, profileAsked, backend: profile.backend, options, dropped };
  };
  if (wish.options !== undefined) {
    const said = splitUnknown(parts, profile, wish.options);
    checkChoices(profile, said.own);
    checkLength(said);
    return answer(wish.options, NOTHING);
  }
  const before = Object.entries(last?.options ?? {});
  if (isGone) return answer({}, { profile: true, options: [] });
  if (!isLast) return answer({}, NOTHING);
  const { unknown } = splitUnknown(parts, profile, last.options);
  const kept = before.filter(
    ([name, value]) => Object.hasOwn(unknown, name) || choiceFault(profile, name, value) === undefined,
  );
  const names = before.filter((one) => !kept.includes(one)).map(([name]) => titleOf(profile, name));
  return answer(Object.fromEntries(kept), { profile: false, options: names });
}

const titleOf = ({ fields }: OfferedProfile, name: string): string =>
  fields.find((field) => field.name === name)?.title ?? name;

function backendOf(parts: SpawnParts, profile: OfferedProfile) {
  const backend = parts.backends.get(profile.backend);
  if (!backend) throw new HubError("SPAWN_BACKEND_UNKNOWN");
  return backend;
}

/** The profile that is asked for, else the last one, else the first one: of those the owner of the server is offered. */
async function profileFor(parts: SpawnParts, wish: Wish, last = ""): Promise<OfferedProfile> {
  const { profiles } = parts;
  const isOffered = await visibility(parts, wish);
  const asked = profiles.get(wish.profile ?? last);
  if (asked && isOffered(asked)) return asked;
  const first = wish.profile === undefined ? profiles.list.find(isOffered) : undefined;
  if (!first) throw new HubError("SPAWN_PROFILE_UNKNOWN", { field: "profile" });
  return first;
}

/** By name and admin flag as they are in the store now; nobody is asked where everything is for everybody. */
async function visibility(parts: SpawnParts, { userId }: Wish) {
  if (parts.profiles.list.every(({ visibleTo }) => visibleTo.everyone)) return () => true;
  const owner = await parts.owner(userId);
  if (!owner) throw new HubError("USER_NOT_FOUND");
  return (profile: OfferedProfile) => isVisible(profile, owner);
}

/** Options for the plugin, from what stands in the ledger; checked once more, for time has passed since the order. */
export function optionsToStart(parts: SpawnParts, doc: Pick<Server, "profile" | "options">): Options {
  const profile = parts.profiles.get(doc.profile);
  if (!profile) throw new HubError("SPAWN_PROFILE_UNKNOWN");
  const { own } = splitUnknown(parts, profile, doc.options);
  checkChoices(profile, own);
  return backendOf(parts, profile).options(optionsOf(profile, own));
}

/** Throws what is wrong with the first choice that is. */
function checkChoices(profile: OfferedProfile, choices: Options): void {
  for (const [name, value] of Object.entries(choices)) {
    const fault = choiceFault(profile, name, value);
    if (fault) throw fault;
  }
}

/** Tells on the page of the start what could not be kept. */
export async function tellDropped(
  parts: SpawnParts,
  doc: Server,
  { profile, options }: Dropped,
): Promise<void> {
  if (!profile && options.length === 0) return;
  const message = profile
    ? "What you chose last is not offered any more; this is the default."
    : `Not offered any more as you chose it last: ${options.join(", ")}; the default is taken.`;
  await parts.steps.addOther(doc, { step: "choices", message, progress: 5 });
}
