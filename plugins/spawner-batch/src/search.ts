import type { Ask } from "./ask.ts";
import { belongs, HANDLE_VERSION, type Handle } from "./handle.ts";
import { jobName } from "./job.ts";
import type { Listing } from "./listing.ts";
import { held, knownOwners } from "./owners.ts";
import type { FoundJob, JobRow, Scheduler } from "./schedulers/scheduler.ts";

interface Place {
  readonly tag: string;
  readonly handle?: Handle;
}

/** Ways to the job of one server: by its name, and by the address in its handle. */
export function searching(ask: Ask, scheduler: Scheduler, listing: Listing) {
  const ownerOf = knownOwners(ask, scheduler);

  /** What the listing has at the address: nothing for a handle that says nothing of this server. */
  async function at({ tag, handle }: Place, signal: AbortSignal): Promise<JobRow | "unlisted" | undefined> {
    if (handle?.v !== HANDLE_VERSION || !belongs(tag, handle) || handle.jobId === "") return undefined;
    return (await listing([handle.owner], signal)).get(handle.jobId) ?? "unlisted";
  }

  /** Never one that was given its id later. */
  const isItsOwn = (job: JobRow, handle: Handle | undefined): boolean =>
    job.state !== "stopping" &&
    job.state !== "ended" &&
    job.owner === handle?.owner &&
    job.submittedAt === handle.submittedAt;

  return {
    /** Its living jobs. Throws for one of another owner: that was not asked for. */
    async byName(tag: string, account: string, signal: AbortSignal): Promise<FoundJob[]> {
      const name = jobName(tag);
      const argv = scheduler.argvForFind(name, account);
      const jobs = await ask(argv, (text) => scheduler.parseFind(text, name), signal);
      return jobs.length === 0 ? jobs : held(jobs, await ownerOf(account, signal));
    },

    /** The id of its living job, whatever the name of that is by now. */
    async livingId(server: Place, signal: AbortSignal): Promise<string | undefined> {
      const job = await at(server, signal);
      return job && job !== "unlisted" && isItsOwn(job, server.handle) ? job.jobId : undefined;
    },

    /** Whether its job may live still: one that no listing shows is over only when it is denied by its id. */
    async mayLive(server: Place, signal: AbortSignal): Promise<boolean> {
      const job = await at(server, signal);
      if (job !== "unlisted") return job !== undefined && isItsOwn(job, server.handle);
      const argv = scheduler.argvForJob(server.handle?.jobId ?? "");
      return !(await ask(argv, (_, isDenied) => isDenied, signal));
    },
  };
}
