import type { Logger } from "@elara/sdk";
import type { Ask } from "./ask.ts";
import type { Scheduler } from "./schedulers/scheduler.ts";

/** Jobs that one look asks for. */
const AT_ONCE = 8;

/**
 * Whether the batch system denies jobs that no listing shows when it is asked by their ids. One that is not in the answer
 * could not be asked for.
 */
export function goneJobs(ask: Ask, scheduler: Scheduler, log: Logger) {
  /** The number of the look that asked for it last: each has its turn. */
  let asked = new Map<string, number>();
  let looks = 0;

  return async (jobIds: readonly string[], signal?: AbortSignal): Promise<ReadonlyMap<string, boolean>> => {
    const gone = new Map<string, boolean>();
    looks += 1;
    asked = new Map([...asked].filter(([jobId]) => jobIds.includes(jobId)));
    const lastOf = (jobId: string): number => asked.get(jobId) ?? 0;
    const turn = [...new Set(jobIds)].sort((a, b) => lastOf(a) - lastOf(b)).slice(0, AT_ONCE);
    const look = async (jobId: string): Promise<void> => {
      asked.set(jobId, looks);
      const isDenied = await ask(scheduler.argvForJob(jobId), (_, isNone) => isNone, signal);
      gone.set(jobId, isDenied);
      if (!isDenied) log.warn({ jobId }, "the batch system knows a job that it does not list");
    };
    await Promise.all(
      turn.map((jobId) =>
        look(jobId).catch((error: unknown) => {
          log.warn({ jobId, err: error }, "whether a job is gone cannot be asked");
        }),
      ),
    );
    signal?.throwIfAborted();
    return gone;
  };
}
