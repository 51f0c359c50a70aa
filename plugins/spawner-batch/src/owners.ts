import { type Ask, read } from "./ask.ts";
import { type FoundJob, type Scheduler, Unreadable } from "./schedulers/scheduler.ts";

/** How the scheduler lists the owner of an account's jobs. */
export function knownOwners(ask: Ask, scheduler: Scheduler) {
  const uids = new Map<string, number>();
  return async (account: string, signal?: AbortSignal): Promise<string> => {
    if (!scheduler.listsUids) return scheduler.ownerOf(account, 0);
    const uid = uids.get(account) ?? (await ask(["id", "-u", account], uidIn, signal));
    uids.set(account, uid);
    return scheduler.ownerOf(account, uid);
  };
}

/** These jobs if all are this owner's; else they are not what was asked for, and nothing is known. */
export const held = (jobs: readonly FoundJob[], owner: string): FoundJob[] =>
  read(() => {
    const foreign = jobs.find((job) => job.owner !== owner);
    if (foreign) throw new Unreadable(`job ${foreign.jobId} is of owner ${foreign.owner}, not of ${owner}`);
    return [...jobs];
  }, "");

function uidIn(stdout: string): number {
  if (!/^\d+\n$/.test(stdout)) throw new Unreadable("`id -u` printed no number");
  return Number(stdout);
}
