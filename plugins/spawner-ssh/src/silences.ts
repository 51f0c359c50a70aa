import { SshError, type SshFault } from "@elara/ssh";

/** So long a machine is left out, unless it answers again. */
const LATELY_MS = 60_000;

const SILENT: readonly SshFault[] = ["unreachable", "host_key", "deadline"];

/** Which machines did not answer lately, by the questions they were asked. `now`: a clock that only runs forward. */
export function silences(now: () => number = () => performance.now()) {
  const heard = new Map<string, number>();
  const silent = new Map<string, number>();
  const last = (times: Map<string, number>, name: string): number =>
    times.get(name) ?? Number.NEGATIVE_INFINITY;
  return {
    /** Asks the machine of this name and notes whether it answered. */
    async heed<T>(name: string, ask: () => Promise<T>): Promise<T> {
      const begin = now();
      try {
        const answer = await ask();
        heard.set(name, now());
        return answer;
      } catch (error) {
        // Where it answered others meanwhile, it is the account whose question hangs.
        if (error instanceof SshError && SILENT.includes(error.fault) && last(heard, name) < begin)
          silent.set(name, now());
        throw error;
      }
    },
    isSilent: (name: string): boolean =>
      now() - last(silent, name) < LATELY_MS && last(heard, name) < last(silent, name),
  };
}
export type Silences = ReturnType<typeof silences>;
