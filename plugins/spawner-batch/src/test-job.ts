import { randomBytes } from "node:crypto";
import { setTimeout as pause } from "node:timers/promises";
import { hubProbe } from "@elara/sdk";
import { type Checked, factsOf } from "./checked.ts";
import { batchError } from "./errors.ts";
import { jobName, submitArgv } from "./job.ts";
import { refusalOf } from "./refusal.ts";

const SECONDS = 120;

/** A job of the shortest kind, from submit to its exit record; from its node it asks for the hub's API. */
export async function runTestJob(checked: Checked, account: string): Promise<void> {
  const { config, scheduler, desk, script, takeBack, apiUrl } = checked;
  const { listen, portRange, logBytes } = config;
  const tag = `check${randomBytes(8).toString("hex")}`;
  const name = jobName(tag);
  const { partition, account: project, qos } = config;
  const spec = { name, output: "job.out", partition, account: project, qos, walltimeMinutes: 1, extra: [] };
  const probe = await hubProbe(apiUrl);
  const failed = (operator: string) => batchError("BATCH_LAUNCH_FAILED", { message: operator, operator });
  const lastLine = async (): Promise<string> =>
    (await desk(account, { action: "tail", tag, lines: 1 })).lines[0] ?? "no output";
  try {
    const { submit } = await desk(account, {
      action: "submit",
      tag,
      find: scheduler.argvForFind(name, account),
      submit: submitArgv(scheduler, spec),
      script: script(factsOf(config, account)),
      jobIdVariable: scheduler.jobIdVariable,
      order: {
        ...{ tag, argv: [config.python, ...probe.args], env: {}, servicePrefix: "/" },
        ...{ host: listen, portRange, portRestSeconds: 0, logBytes },
      },
    });
    if (!submit) throw failed("the test job was not handed in: another one has its name");
    if (submit.exitCode !== 0) throw refusalOf(scheduler, submit);
    const end = performance.now() + SECONDS * 1000;
    for (;;) {
      const exit = (await desk(account, { action: "records", tags: [tag] })).records[tag]?.exit;
      if (exit && exit.exitCode === null) throw failed(`the test job failed: ${exit.message || exit.cause}`);
      if (exit) {
        const fault = probe.fault(exit.exitCode, [await lastLine()]);
        if (fault === "") return;
        throw batchError("BATCH_HUB_UNREACHABLE", { operator: `A job does not reach the hub at ${fault}` });
      }
      if (performance.now() > end)
        throw failed(`the test job did not end within ${SECONDS} s: ${await lastLine()}`);
      await pause(500);
    }
  } finally {
    probe.close();
    await takeBack(tag, account);
  }
}
