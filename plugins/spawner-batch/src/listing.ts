import type { Ask } from "./ask.ts";
import type { JobRow, Scheduler } from "./schedulers/scheduler.ts";

/** All jobs of these owners by their ids, as they are after the call began. */
export type Listing = (
  owners: Iterable<string>,
  signal?: AbortSignal,
) => Promise<ReadonlyMap<string, JobRow>>;

/**
 * One listing at a time, shared by whoever asks: the load on the scheduler does not grow with the number of servers.
 * Who comes while one is under way waits for the next, which is made for all who wait.
 */
export function sharedListing(ask: Ask, scheduler: Scheduler): Listing {
  let underWay: Promise<unknown> = Promise.resolve();
  let next: Round | undefined;

  const list = async (round: Round): Promise<ReadonlyMap<string, JobRow>> => {
    if (next === round) next = undefined;
    round.giveUp.signal.throwIfAborted();
    const argv = scheduler.argvForList([...round.owners].sort());
    const rows = await ask(argv, (text) => scheduler.parseList(text), round.giveUp.signal);
    return new Map(rows.map((row) => [row.jobId, row]));
  };

  function open(): Round {
    const { promise: jobs, resolve } = Promise.withResolvers<ReadonlyMap<string, JobRow>>();
    const round: Round = { owners: new Set(), jobs, waiting: 0, giveUp: new AbortController() };
    const asked = underWay.then(() => list(round));
    underWay = asked.catch(() => undefined);
    resolve(asked);
    return round;
  }

  return async (given, signal) => {
    signal?.throwIfAborted();
    next ??= open();
    const round = next;
    for (const owner of given) round.owners.add(owner);
    round.waiting += 1;
    if (!signal) return round.jobs;
    const { promise: left, reject } = Promise.withResolvers<never>();
    const leave = (): void => {
      reject(signal.reason);
      round.waiting -= 1;
      if (round.waiting > 0) return;
      if (next === round) next = undefined;
      round.giveUp.abort(signal.reason);
    };
    signal.addEventListener("abort", leave, { once: true });
    try {
      return await Promise.race([round.jobs, left]);
    } finally {
      signal.removeEventListener("abort", leave);
    }
  };
}

interface Round {
  readonly owners: Set<string>;
  readonly jobs: Promise<ReadonlyMap<string, JobRow>>;
  /** Who waits; when all have left it is given up. */
  waiting: number;
  readonly giveUp: AbortController;
}
