import { HubError } from "@elara/contracts";
import { pluginFaultWords, secretsIn } from "@elara/runtime/plugins/fault-words";
import type { Spawner, SpawnerPlugin } from "@elara/sdk";
import type { Logger } from "pino";
import { bounded } from "../bounded.ts";
import { fittingOptions } from "./fitting-options.ts";
import type { ProfileEntry } from "./profile-entry.ts";
import { filledOptions } from "./profile-options.ts";

/** A spawner that is set up, as its rules are asked for. */
export interface Ruled {
  readonly name: string;
  readonly plugin: SpawnerPlugin;
  readonly configured: Record<string, unknown>;
  readonly spawner: Pick<Spawner<Record<string, unknown>, Record<string, unknown>>, "checkOptions">;
}

/** What a plugin refused, or could not say: of a spawner or of a profile. */
export interface RuleFault {
  /** The whole of it, with its place. */
  readonly words: string;
  /** It is the options' fault; else nobody can say now. */
  readonly isCertain: boolean;
}

/** So long the hub's start waits for rules that a backend has to be asked about. */
const RULES_MS = 5_000;

/** Whether the error says which option is wrong. */
export const namesOption = (error: unknown): error is HubError =>
  error instanceof HubError && error.field !== "";

/** Holds whole options to the rules of their plugin; gives what it threw. */
export async function refusal(
  { spawner }: Ruled,
  options: Record<string, unknown>,
  ms: number,
): Promise<unknown> {
  try {
    await bounded(ms, async (signal) => spawner.checkOptions?.(options, { signal }));
    return undefined;
  } catch (error) {
    return error;
  }
}

/** What the rules say of profiles: options of the spawner, over them those of the profile and what its fields begin with. */
export async function profileRuleFaults(
  profiles: readonly ProfileEntry[],
  spawners: readonly Ruled[],
  ms = RULES_MS,
): Promise<RuleFault[]> {
  const faults = profiles.map(async (entry, index): Promise<RuleFault[]> => {
    const ruled = spawners.find(({ name }) => name === entry.spawner);
    if (!ruled?.spawner.checkOptions) return [];
    const { plugin, configured } = ruled;
    const { options, defaults } = filledOptions(entry, plugin);
    const whole = fittingOptions(plugin, { ...configured, ...options, ...defaults });
    // What the schema refuses is told there, or has to be chosen yet.
    if (whole.fault) return [];
    const error = await refusal(ruled, whole.options, ms);
    if (error === undefined) return [];
    const isOfField = namesOption(error) && Object.hasOwn(defaults, error.field);
    return [faultOf(error, ruled, `spawn.profiles[${index}].${isOfField ? "fields" : "options"}`)];
  });
  return (await Promise.all(faults)).flat();
}

/** What a plugin threw of options that stand at this path, in words. */
export const wordsOf = (error: unknown, { plugin, configured }: Ruled, path: string): string =>
  pluginFaultWords(error, { path, errors: plugin.errors, secrets: secretsIn(plugin.options, configured) });

const faultOf = (error: unknown, ruled: Ruled, path: string): RuleFault => ({
  words: wordsOf(error, ruled, path),
  isCertain: namesOption(error),
});

/** Nothing starts with options that a plugin refuses; where it cannot be told now, that is logged. Throws CONFIG_INVALID. */
export async function holdToRules(
  profiles: readonly ProfileEntry[],
  spawners: readonly Ruled[],
  log: Logger,
): Promise<void> {
  const own = spawners.map(async (ruled, index) => {
    const error = await refusal(ruled, ruled.configured, RULES_MS);
    return error === undefined ? [] : [faultOf(error, ruled, `spawners[${index}].options`)];
  });
  const faults = [...(await Promise.all(own)).flat(), ...(await profileRuleFaults(profiles, spawners))];
  const certain = faults.filter(({ isCertain }) => isCertain);
  if (certain.length > 0) throw optionsRefused(certain.map(({ words }) => words));
  for (const { words } of faults)
    log.warn({ fault: words }, "options not held to the rules of their spawner");
}

/** Faults of plugins' options, each with its place. */
export const optionsRefused = (faults: readonly string[], cause?: unknown): HubError =>
  new HubError("CONFIG_INVALID", { operator: faults.join("\n  "), cause });
