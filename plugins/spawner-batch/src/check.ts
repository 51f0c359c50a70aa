import { setTimeout as pause } from "node:timers/promises";
import type { Ask } from "./ask.ts";
import type { Desk } from "./desk.ts";
import { batchError } from "./errors.ts";
import { jobName } from "./job.ts";
import type { Options } from "./options.ts";
import type { Places } from "./places.ts";
import type { Scheduler } from "./schedulers/scheduler.ts";
import type { ScriptFacts } from "./script.ts";

/** What a check needs. */
export interface Checked {
  readonly config: Options;
  readonly scheduler: Scheduler;
  readonly places: Places;
  readonly desk: Desk;
  readonly ask: Ask;
  readonly script: (facts: ScriptFacts) => string;
}

const factsOf = ({ script: _, ...options }: Options, account: string): ScriptFacts => ({
  ...{ python: options.python, user: account, account, server: "", options },
});

const TEST_JOB_SECONDS = 120;
const wrong = (field: string, message: string) => batchError("BATCH_OPTIONS_INVALID", { field, message });

/** Throws with the fix when servers cannot be started as configured. */
export async function checkBatch(checked: Checked): Promise<void> {
  const { config, scheduler, places, desk, script } = checked;
  const [first = 0, last = 0] = config.portRange;
  if (first > last)
    throw wrong("portRange", `portRange: ${first} is above ${last}; the lower port comes first`);
  const facts = factsOf(config, "ada");
  let text: string;
  try {
    text = script(facts);
  } catch (error) {
    throw wrong("script", `script: ${error instanceof Error ? error.message : String(error)}`);
  }
  if (!text.includes("launch.py"))
    throw wrong(
      "script",
      "script: nothing starts the server; put `{% render 'launch', python: python %}` where it is to start",
    );

  const partitions = await places.partitions();
  if (!partitions.some(({ isUp }) => isUp))
    throw wrong("scheduler", "the batch system has no partition that is up");
  const { partition } = config;
  if (partition !== "" && !partitions.some(({ name }) => name === partition))
    throw wrong("partition", `partition: the batch system has no ${partition}`);

  const account = config.checkAccount;
  if (account === "") return;
  const call = scheduler.argvForFind(jobName("check"), account);
  const probe = await desk(account, { action: "probe", call });
  const [major = 0, minor = 0] = probe.version;
  if (major < 3 || (major === 3 && minor < 9))
    throw wrong("python", `python: ${config.python} is ${major}.${minor} there, 3.9 or newer is needed`);
  if (probe.call.exitCode !== 0)
    throw batchError("BATCH_SCHEDULER_AWAY", { detail: { account, ...probe.call } });
  if (config.checkJob) await runTestJob(checked, account);
}

/** A job of the shortest kind, from submit to its exit record. */
async function runTestJob({ config, scheduler, desk, script }: Checked, account: string): Promise<void> {
  const tag = `check${Date.now().toString(36)}`;
  const name = jobName(tag);
  const { partition, account: project, qos } = config;
  const facts = factsOf(config, account);
  const spec = { name, output: "job.out", partition, account: project, qos, walltimeMinutes: 1, extra: [] };
  const [first = 0, last = 0] = config.portRange;
  try {
    const { submit } = await desk(account, {
      action: "submit",
      tag,
      find: scheduler.argvForFind(name, account),
      submit: scheduler.argvForSubmit(spec),
      script: script(facts),
      jobIdVariable: scheduler.jobIdVariable,
      order: {
        tag,
        ...{ argv: ["true"], env: {}, servicePrefix: "/", host: config.listen, portRange: [first, last] },
        ...{ portRestSeconds: 0, logBytes: config.logBytes },
      },
    });
    if (submit?.exitCode !== 0)
      throw batchError("BATCH_REFUSED", {
        message: `the test job was refused: ${submit?.stderr.trim() ?? ""}`,
      });
    const end = performance.now() + TEST_JOB_SECONDS * 1000;
    for (;;) {
      const exit = (await desk(account, { action: "records", tags: [tag] })).records[tag]?.exit;
      if (exit?.exitCode === 0) return;
      if (exit)
        throw batchError("BATCH_LAUNCH_FAILED", {
          message: `the test job failed: ${exit.message || exit.cause}`,
        });
      if (performance.now() > end) {
        const { lines } = await desk(account, { action: "tail", tag, lines: 5 });
        throw batchError("BATCH_LAUNCH_FAILED", {
          message: `the test job did not end within ${TEST_JOB_SECONDS} s${lines.length > 0 ? `: ${lines.join(" / ")}` : ""}`,
        });
      }
      await pause(500);
    }
  } finally {
    const argv = scheduler.cancelsById
      ? null
      : (scheduler.argvForCancel({ name, account, jobIds: [] }) ?? null);
    await desk(account, { action: "cancel", tag, cancel: argv, graceSeconds: 0 }).catch(() => {});
    await desk(account, { action: "forget", tag }).catch(() => {});
  }
}
