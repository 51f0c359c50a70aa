import type { Cluster } from "./cluster.ts";
import type { Desk } from "./desk.ts";
import { badOption, batchError } from "./errors.ts";
import { jobName } from "./job.ts";
import type { Options } from "./options.ts";
import type { Scheduler } from "./schedulers/scheduler.ts";
import type { ScriptFacts } from "./script.ts";
import { runTestJob } from "./test-job.ts";

/** What a check needs. */
export interface Checked {
  readonly config: Options;
  readonly scheduler: Scheduler;
  readonly cluster: Cluster;
  readonly desk: Desk;
  readonly script: (facts: ScriptFacts) => string;
  /** The hub's API as servers reach it. */
  readonly apiUrl: string;
}

/** What a script may speak of when nobody's server is started. */
export const factsOf = ({ script: _, ...options }: Options, account: string): ScriptFacts => ({
  ...{ python: options.python, user: account, account, server: "", options },
});

/** Throws with the fix when servers cannot be started as configured. */
export async function checkBatch(checked: Checked): Promise<void> {
  const { config, scheduler, cluster, desk, script } = checked;
  if (!script(factsOf(config, "ada")).includes("launch.py"))
    throw badOption(
      "script",
      "script: nothing starts the server; put `{% render 'launch', python: python %}` where it is to start",
    );

  const partitions = await cluster.partitions();
  if (!partitions.some(({ isUp }) => isUp))
    throw badOption("scheduler", "the batch system has no partition that is up");

  const account = config.checkAccount;
  if (account === "") return;
  const call = scheduler.argvForFind(jobName("check"), account);
  const probe = await desk(account, { action: "probe", call });
  const [major = 0, minor = 0] = probe.version;
  if (major < 3 || (major === 3 && minor < 9))
    throw badOption("python", `python: ${config.python} is ${major}.${minor} there, 3.9 or newer is needed`);
  if (probe.call.exitCode !== 0)
    throw batchError("BATCH_SCHEDULER_AWAY", { detail: { account, ...probe.call } });
  if (config.checkJob) await runTestJob(checked, account);
}
