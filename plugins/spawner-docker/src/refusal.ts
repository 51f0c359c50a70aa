import type { PluginError } from "@elara/sdk";
import { statusOf, wordOf } from "./engine.ts";
import { dockerError, optionError } from "./errors.ts";
import { isMissingCommand } from "./rows.ts";

/** Options by what engines say of values they refuse. */
const OPTIONS: readonly [words: RegExp, option: string, isChoice: boolean][] = [
  [/range of cpus|nano ?cpus/i, "cpus", true],
  [/memory limit|HostConfig\.Memory|int64/i, "memory", true],
  [/cap_?add/i, "capAdd", false],
  [/cap_?drop/i, "capDrop", false],
];

/** The option an engine's refusal speaks of, where that is seen. */
export function refusedOption(error: unknown): PluginError | undefined {
  if (statusOf(error) !== 400) return undefined;
  const word = wordOf(error);
  const [, option, isChoice] = OPTIONS.find(([words]) => words.test(word)) ?? [];
  return option === undefined ? undefined : optionError(option, word, isChoice ? word : undefined);
}

/** Throws an engine's refusal as an error of this plugin, all else as it is. */
export function tell(error: unknown): never {
  if (statusOf(error) === 0) throw error;
  const option = refusedOption(error);
  if (option) throw option;
  const word = wordOf(error);
  const code = isMissingCommand(word)
    ? "DOCKER_COMMAND_MISSING"
    : /network \S+ not found/.test(word)
      ? "DOCKER_NETWORK_MISSING"
      : /mount|volume/.test(word)
        ? "DOCKER_VOLUME_UNUSABLE"
        : "DOCKER_REFUSED";
  throw dockerError(code, { detail: word });
}
