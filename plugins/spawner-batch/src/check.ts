import { userInfo } from "node:os";
import { isAccount } from "@elara/sdk";
import { noAnswer } from "./ask.ts";
import { type Checked, factsOf } from "./checked.ts";
import { badOption } from "./errors.ts";
import { jobName } from "./job.ts";
import type { Options } from "./options.ts";
import { runTestJob } from "./test-job.ts";

/** Whose way to the scheduler can be tried: `checkAccount`, or the one that all servers run as. */
function accountToTry({ checkAccount, user, transport }: Options): string {
  if (checkAccount !== "" || !user.includes("{username}")) return checkAccount || user;
  return transport === "local" ? userInfo().username : "";
}

/** Runs a command if all the programs are there. */
const WITH_ALL =
  'for name in $0; do command -v "$name" >/dev/null || { echo "not in PATH: $name" >&2; exit 127; }; done; exec "$@"';

/** Tries the desk as this account: Python, `runDir`, the scheduler's commands. */
async function tryDesk({ config, scheduler, desk }: Checked, account: string): Promise<void> {
  const find = scheduler.argvForFind(jobName("check"), account);
  const call = ["sh", "-c", WITH_ALL, scheduler.commands.join(" "), ...find];
  const probe = await desk(account, { action: "probe", call });
  const [major = 0, minor = 0] = probe.version;
  if (major < 3 || (major === 3 && minor < 9))
    throw badOption("python", `python: ${config.python} is ${major}.${minor} there, 3.9 or newer is needed`);
  if (probe.call.exitCode !== 0) throw noAnswer(probe.call, `as ${account}`);
}

/** What was seen and what was not tried. Throws with the fix when servers cannot be started as configured. */
export async function checkBatch(checked: Checked): Promise<string> {
  const { config, scheduler, cluster, script } = checked;
  const account = accountToTry(config);
  if (account !== "" && !isAccount(account))
    throw badOption(
      "checkAccount",
      `checkAccount: ${JSON.stringify(account)} cannot be the name of an account`,
    );
  if (config.checkJob && account === "")
    throw badOption("checkAccount", "checkAccount: `checkJob` needs an account to run the job as");
  if (!script(factsOf(config, "ada")).includes("launch.py"))
    throw badOption(
      "script",
      "script: nothing starts the server; put `{% render 'launch', python: python %}` where it is to start",
    );

  const up = (await cluster.partitions()).filter(({ isUp }) => isUp).map(({ name }) => name);
  if (up.length === 0) throw badOption("scheduler", "scheduler: it has no partition that is up");
  if (config.nodeAddress === "scheduler") await cluster.address("");

  const seen = `${scheduler.name} answers; partitions up: ${up.join(", ")}`;
  const never = "whether the hub reaches `portRange` on nodes";
  if (account === "")
    return `${seen}; not tried: anything as a user, so neither submits nor \`runDir\` (set \`checkAccount\`); a job; ${never}`;
  await tryDesk(checked, account);
  const desk = `${seen}; ${account} reaches ${scheduler.commands.join(", ")} and writes \`runDir\``;
  if (!config.checkJob)
    return `${desk}; not tried: a job, so neither \`runDir\` and \`python\` on nodes nor their way to the hub (set \`checkJob\`); ${never}`;
  await runTestJob(checked, account);
  return `${desk}; a job ran on a node and reached the hub; not tried: other nodes and accounts; ${never}`;
}
