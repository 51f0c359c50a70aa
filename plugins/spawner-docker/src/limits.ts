import type Docker from "dockerode";
import { ask } from "./engine.ts";
import { optionError } from "./errors.ts";
import type { Options } from "./options.ts";

/** Engines take no less. */
const LEAST_MEMORY = 6 * 1024 ** 2;
const LEAST_CPUS = 0.01;
/** How long an engine's answer about its machine is good. */
const KEPT_MS = 60_000;

/** Bytes of "512M"; undefined for no limit. Throws what no engine can hold a container to, for JSON would make it "no limit". */
export function bytesOf(memory: string): number | undefined {
  const [, count = "", unit = ""] = /^([\d.]+)([KMGT]?)$/.exec(memory) ?? [];
  if (count === "") return undefined;
  const bytes = Math.round(Number(count) * 1024 ** " KMGT".indexOf(unit || " "));
  const refuse = (words: string) => optionError("memory", words, words);
  if (bytes < LEAST_MEMORY)
    throw refuse(`${memory} is less than 6M, the least a container takes; units are K, M, G, T.`);
  if (!Number.isSafeInteger(bytes)) throw refuse(`${memory} is more than any machine has.`);
  return bytes;
}

/** Billionths of processors; undefined for no limit. Throws what no engine can hold a container to. */
export function nanoCpusOf(cpus: number): number | undefined {
  if (cpus === 0) return undefined;
  const nano = Math.round(cpus * 1e9);
  const refuse = (words: string) => optionError("cpus", words, words);
  if (!(cpus >= LEAST_CPUS)) throw refuse(`${cpus} is less than 0.01, the least a container takes.`);
  if (!Number.isSafeInteger(nano)) throw refuse(`${cpus} are more than any machine has.`);
  return nano;
}

/** The processors of the engine's machine, as it tells; asked at most once a minute. Throws DOCKER_ENGINE_AWAY. */
export function machine(docker: Docker, now: () => number) {
  let [known, until] = [Number.NaN, 0];
  return {
    /** Throws DOCKER_OPTIONS_INVALID for more processors than there are: engines refuse that. */
    async holds({ cpus }: Pick<Options, "cpus">, signal: AbortSignal): Promise<void> {
      if (cpus === 0) return;
      if (now() >= until) {
        const { NCPU }: { NCPU?: unknown } = Object(await ask(() => docker.info(), { signal }));
        [known, until] = [Number(NCPU), now() + KEPT_MS];
      }
      if (!(cpus > known)) return;
      const words = `${cpus} processors are more than there are: ${known}.`;
      throw optionError("cpus", words, words);
    },
  };
}
