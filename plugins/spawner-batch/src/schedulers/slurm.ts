import { idIn, type JobRow, largest, type Partition, type Scheduler, Unreadable } from "./scheduler.ts";
import { CAUSES, STATES, slurmAdvice, slurmFault } from "./slurm-words.ts";

/** Only what users cannot write. The reason stands last: nothing follows that it could be taken for. */
const FIELDS = "%i|%U|%T|%V|%S|%e|%B|%r";
/** Times as seconds since the epoch, wherever the command runs. */
const squeue = (...args: string[]): string[] => ["env", "SLURM_TIME_FORMAT=%s", "squeue", "-h", ...args];

/** By its id first: it may have another name by now, or have ended. What it says of that is not the answer. */
const CANCEL = '[ -z "$3" ] || scancel --user="$2" "$3"; exec scancel --name="$1" --user="$2"';

const seconds = (text: string): number | undefined => (/^\d+$/.test(text) ? Number(text) : undefined);

function lines(stdout: string): string[] {
  if (stdout !== "" && !stdout.endsWith("\n")) throw new Unreadable("the output is cut off");
  return stdout.split("\n").slice(0, -1);
}

function rowOf(line: string): JobRow {
  const [jobId = "", owner = "", state = "", submitted = "", start = "", end = "", node = "", ...reason] =
    line.split("|");
  const submittedAt = seconds(submitted);
  if (
    !/^\d[\w+[\],%-]*$/.test(jobId) ||
    !/^\d+$/.test(owner) ||
    submittedAt === undefined ||
    reason.length === 0
  )
    throw new Unreadable(`not a line of squeue: ${JSON.stringify(line.slice(0, 200))}`);
  const why = reason.join("|");
  const [startsAt, endsAt = 0, cause] = [seconds(start), seconds(end), CAUSES[state]];
  const isHeld = state === "PENDING" && /^JobHeld/.test(why);
  return {
    jobId,
    owner,
    submittedAt,
    state: cause ? "ended" : isHeld ? "held" : (STATES[state] ?? "unknown"),
    ...(cause && { cause }),
    ...(why !== "" && why !== "None" && { reason: why }),
    ...(/^[\w.-]+$/.test(node) && { node }),
    ...(startsAt !== undefined && { startsAt }),
    // Before it began it ends nowhere.
    ...(endsAt > Math.max(startsAt ?? 0, submittedAt) && { endsAt }),
  };
}

/** `1-00:00:00`, `8:00:00`, `1:00`, `infinite` → minutes. */
function minutesOf(limit: string): number | undefined {
  const [, days = "0", hours = "0", minutes = "0"] = /^(?:(\d+)-)?(?:(\d+):)?(\d+):\d+$/.exec(limit) ?? [];
  const total = Number(days) * 1440 + Number(hours) * 60 + Number(minutes);
  return total > 0 ? total : undefined;
}

/** A line for each kind of node in it. */
function partitionOf(line: string): Partition {
  const [name = "", available, limit = "", ...node] = line.split("|");
  const [maxMinutes, maxCpus, maxMemoryMiB] = [minutesOf(limit), ...node.map(seconds)];
  return {
    ...{ name: name.replace(/\*$/, ""), isDefault: name.endsWith("*"), isUp: available === "up" },
    ...(maxMinutes !== undefined && { maxMinutes }),
    ...(maxCpus !== undefined && { maxCpus }),
    ...(maxMemoryMiB !== undefined && { maxMemoryMiB }),
  };
}

/** Slurm by its commands; seen with 22.05. */
export const slurm: Scheduler = {
  name: "slurm",
  nothing: "",
  commands: ["sbatch", "squeue", "scancel"],
  jobIdVariable: "SLURM_JOB_ID",
  submitDirVariable: "SLURM_SUBMIT_DIR",
  allowedFlags: [
    ...[
      "--comment",
      "--exclusive",
      "--gres",
      "--gres-flags",
      "--hint",
      "--licenses",
      "--mail-type",
      "--mail-user",
    ],
    ...[
      "--nice",
      "--nodelist",
      "--exclude",
      "--oversubscribe",
      "--prefer",
      "--switches",
      "--threads-per-core",
    ],
    ...["--tmp", "--wckey", "--mem-per-cpu", "--mem-per-gpu", "--cpus-per-gpu"],
  ],
  listsUids: true,
  ownerOf: (_account, uid) => String(uid),
  argvForSubmit: (spec) => [
    ...["sbatch", "--parsable", "--no-requeue", "--nodes=1", "--ntasks=1", "--export=ALL"],
    `--job-name=${spec.name}`,
    `--output=${spec.output}`,
    ...(spec.partition ? [`--partition=${spec.partition}`] : []),
    ...(spec.account ? [`--account=${spec.account}`] : []),
    ...(spec.qos ? [`--qos=${spec.qos}`] : []),
    ...(spec.reservation ? [`--reservation=${spec.reservation}`] : []),
    ...(spec.constraint ? [`--constraint=${spec.constraint}`] : []),
    ...(spec.cpus ? [`--cpus-per-task=${spec.cpus}`] : []),
    ...(spec.memoryMiB ? [`--mem=${spec.memoryMiB}M`] : []),
    ...(spec.gpus ? [`--gres=gpu:${spec.gpuType ? `${spec.gpuType}:` : ""}${spec.gpus}`] : []),
    ...(spec.walltimeMinutes ? [`--time=${spec.walltimeMinutes}`] : []),
    ...spec.extra,
  ],
  parseSubmit: (stdout) => idIn(stdout, /^(\d+)(?:;[\w.-]+)?$/),
  argvForList: (owners) => squeue("-t", "all", "-u", owners.join(","), "-o", FIELDS),
  parseList: (stdout) => lines(stdout).map(rowOf),
  // All of one name: whoever may choose another cannot forge a row by it.
  argvForFind: (name, account) => squeue("-n", name, "-u", account, "-o", `${FIELDS}|%j`),
  parseFind: (stdout, name) =>
    lines(stdout).map((line) => {
      if (!line.endsWith(`|${name}`))
        throw new Unreadable(`not a job of the name ${name}: ${JSON.stringify(line.slice(0, 200))}`);
      return rowOf(line.slice(0, -name.length - 1));
    }),
  argvForCancel: (name, account, jobId = "") => ["sh", "-c", CANCEL, "cancel", name, account, jobId],
  argvForFinished: (ids) => [
    "env",
    "SLURM_TIME_FORMAT=%s",
    "sacct",
    "-n",
    "-P",
    "-X",
    "-j",
    ids.join(","),
    "-o",
    "JobIDRaw,UID,State,Submit,ExitCode",
  ],
  parseFinished: (stdout) =>
    lines(stdout).flatMap((line) => {
      const [jobId = "", owner = "", state = "", submitted = "", exit = ""] = line.split("|");
      // `CANCELLED by 1001`
      const cause = CAUSES[state.split(" ")[0] ?? ""];
      const submittedAt = seconds(submitted);
      if (!cause || submittedAt === undefined) return [];
      return [
        { jobId, owner, submittedAt, state: "ended" as const, cause, exitCode: Number(exit.split(":")[0]) },
      ];
    }),
  argvForJob: (jobId) => ["scontrol", "show", "job", jobId],
  argvForNodes: () => ["scontrol", "show", "node", "-o"],
  parseNodes: (stdout) =>
    new Map(
      lines(stdout).flatMap((line) => {
        const [, name, , address] = /^NodeName=(\S+) (.*? )?NodeAddr=(\S+) /.exec(line) ?? [];
        return name && address ? [[name, address]] : [];
      }),
    ),
  argvForPartitions: () => ["sinfo", "-h", "-e", "-o", "%P|%a|%l|%c|%m"],
  parsePartitions: (stdout) =>
    [...Map.groupBy(lines(stdout).map(partitionOf), ({ name }) => name).values()].map(largest),
  saysAway: (stderr) => slurmFault(stderr)?.kind === "transient",
  classifyError: (_exitCode, stdout, stderr) =>
    slurmFault(stderr) ?? slurmFault(stdout) ?? { kind: "transient" },
  adviceFor: slurmAdvice,
};
