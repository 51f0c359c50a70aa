import type { Ask } from "./ask.ts";
import type { JobRow, Scheduler } from "./schedulers/scheduler.ts";

/** All jobs of these owners by their ids, as they are after the call began. */
export type Listing = (owners: Iterable<string>) => Promise<ReadonlyMap<string, JobRow>>;

/**
 * One listing at a time, shared by whoever asks: the load on the scheduler does not grow with the number of servers.
 * Who comes while one is under way waits for the next, which is made for all who wait.
 */
export function sharedListing(ask: Ask, scheduler: Scheduler): Listing {
  let underWay: Promise<unknown> = Promise.resolve();
  let next: { owners: Set<string>; jobs: Promise<ReadonlyMap<string, JobRow>> } | undefined;

  const list = async (owners: Set<string>): Promise<ReadonlyMap<string, JobRow>> => {
    next = undefined;
    const rows = await ask(scheduler.argvForList([...owners].sort()), (text) => scheduler.parseList(text));
    return new Map(rows.map((row) => [row.jobId, row]));
  };

  return (given) => {
    if (!next) {
      const owners = new Set<string>();
      const jobs = underWay.then(() => list(owners));
      underWay = jobs.catch(() => undefined);
      next = { owners, jobs };
    }
    for (const owner of given) next.owners.add(owner);
    return next.jobs;
  };
}
