import {
  type Fault,
  idIn,
  type JobCause,
  type JobRow,
  type Scheduler,
  Unfit,
  Unreadable,
} from "./scheduler.ts";

/** Times come out as text of the command's own zone. */
const utc = (...argv: string[]): string[] => ["env", "TZ=UTC", ...argv];

const STATES: Readonly<Record<string, JobRow["state"]>> = {
  ...{ Q: "queued", W: "queued", T: "queued", M: "queued", H: "held", R: "running", B: "running" },
  ...{ S: "suspended", U: "suspended", E: "stopping", F: "ended", X: "ended" },
};

/** By the exit codes and words of its manual. */
const FAULTS: readonly (readonly [RegExp, Fault])[] = [
  [/Unknown Job|Job has finished/i, { kind: "notFound" }],
  [
    /cannot connect|Connection refused|No Permission to connect|timed out|End of File|pbs_iff|server .*(down|busy)/i,
    { kind: "transient" },
  ],
  [/Unknown queue/i, { kind: "invalid", field: "partition" }],
  [/Queue is not enabled|Access .*queue|not authorized .*queue/i, { kind: "denied", field: "partition" }],
  [/Account/i, { kind: "denied", field: "account" }],
  [/walltime/i, { kind: "invalid", field: "walltimeMinutes" }],
  [/\bmem\b/i, { kind: "invalid", field: "memoryMiB" }],
  [/\bncpus\b/i, { kind: "invalid", field: "cpus" }],
  [/\bngpus\b/i, { kind: "invalid", field: "gpus" }],
  [/invalid option/i, { kind: "invalid", field: "extraArguments" }],
  [/Unauthorized|Permission denied|not allowed|would exceed/i, { kind: "denied" }],
  [/illegal|Unknown resource|violates|invalid|usage/i, { kind: "invalid" }],
];

type Table = Readonly<Record<string, unknown>>;
const isTable = (value: unknown): value is Table =>
  typeof value === "object" && value !== null && !Array.isArray(value);
const text = (value: unknown): string =>
  typeof value === "string" || typeof value === "number" ? String(value) : "";
const table = (value: unknown): Table => (isTable(value) ? value : {});

/** A part of its JSON; PBS leaves it out when there is nothing in it. */
function part(stdout: string, name: string): [string, Table][] {
  let data: unknown;
  try {
    data = JSON.parse(stdout);
  } catch (error) {
    throw new Unreadable("the output is not JSON", { cause: error });
  }
  if (!isTable(data) || !("pbs_version" in data || name in data))
    throw new Unreadable("the output is not of PBS");
  if (name in data && !isTable(data[name])) throw new Unreadable(`${name} is no table`);
  return Object.entries(table(data[name])).map(([key, value]) => [key, table(value)]);
}

/** `Sun Nov 22 21:22:46 2026`, in UTC because it was asked so; seconds since the epoch. */
function secondsOf(value: unknown): number | undefined {
  const at = Date.parse(`${text(value)} UTC`);
  return text(value) === "" || Number.isNaN(at) ? undefined : at / 1000;
}

/** `08:00:00` in minutes. */
function minutesOf(value: unknown): number | undefined {
  const [, hours, minutes] = /^(\d+):(\d\d):\d\d$/.exec(text(value)) ?? [];
  return hours === undefined ? undefined : Number(hours) * 60 + Number(minutes);
}

/** Exit_status: below 0 PBS itself, from 256 a signal. */
function causeOf(status: number | undefined, comment: string): JobCause {
  if (/walltime .*exceeded/i.test(comment) || status === -29) return "timeLimit";
  if (/mem .*exceeded/i.test(comment) || status === -27 || status === -25) return "outOfMemory";
  if (status === 0) return "completed";
  return status === undefined || status === 271 || status === 265 ? "cancelled" : "failed";
}

function rowOf(jobId: string, job: Table): JobRow {
  const state = STATES[text(job.job_state)] ?? "unknown";
  const owner = text(job.Job_Owner).split("@")[0] ?? "";
  if (owner === "" || text(job.job_state) === "") throw new Unreadable(`job ${jobId} has no owner or state`);
  const comment = text(job.comment);
  const node = /^([\w.-]+)\//.exec(text(job.exec_host))?.[1];
  const started = secondsOf(job.stime);
  const startsAt = started ?? secondsOf(job.estimated && table(job.estimated).start_time);
  const minutes = minutesOf(table(job.Resource_List).walltime);
  const status = text(job.Exit_status) === "" ? undefined : Number(text(job.Exit_status));
  return {
    // Ids are given out again when a server is set up anew.
    ...{ jobId, owner, state, submittedAt: secondsOf(job.ctime) ?? secondsOf(job.qtime) ?? 0 },
    ...(state === "queued" && comment !== "" && { reason: comment.slice(0, 200) }),
    ...(node !== undefined && { node }),
    ...(startsAt !== undefined && { startsAt }),
    ...(started !== undefined && minutes !== undefined && { endsAt: started + minutes * 60 }),
    ...(state === "ended" && { cause: causeOf(status, comment) }),
    ...(state === "ended" && status !== undefined && status >= 0 && status < 256 && { exitCode: status }),
  };
}

/** A value that adds nothing of its own to the list or place it stands in. */
function plain(field: string, value: string, pattern: RegExp): string {
  if (!pattern.test(value))
    throw new Unfit(field, `${field}: PBS takes nothing like ${JSON.stringify(value)}`);
  return value;
}

/** Jobs of a name and account with their records; without ids `qstat` would tell of all jobs. */
const FIND = 'ids=$(qselect -N "$1" -u "$2") || exit; [ -z "$ids" ] || exec qstat -f -F json $ids';

/** The same for the end of them; one that is ending already (E) takes no `qdel`. */
const CANCEL =
  'ids=$(qselect -s BHMQRSTUW -N "$1" -u "$2") || exit; ids=$(printf "%s\\n" $ids $3 | sort -u); [ -z "$ids" ] || exec qdel $ids';

/** As it prints an empty listing. */
const NOTHING = '{"pbs_version":"any"}';

const jobs = (stdout: string, name?: string): JobRow[] =>
  part(stdout, "Jobs").map(([jobId, job]) => {
    if (name !== undefined && text(job.Job_Name ?? name) !== name)
      throw new Unreadable(`job ${jobId} has not the name ${name}`);
    return rowOf(jobId, job);
  });
const walltime = (minutes: number): string =>
  `${Math.floor(minutes / 60)}:${String(minutes % 60).padStart(2, "0")}:00`;

/** PBS Pro and OpenPBS by their commands. By the manual and recorded formats; not run on a real PBS. */
export const pbs: Scheduler = {
  name: "pbs",
  nothing: NOTHING,
  commands: ["qsub", "qselect", "qstat", "qdel"],
  jobIdVariable: "PBS_JOBID",
  submitDirVariable: "PBS_O_WORKDIR",
  allowedFlags: ["-p", "-P", "-m", "-M"],
  listsUids: false,
  ownerOf: (account) => account,
  argvForSubmit: (spec) => {
    if (spec.qos) throw new Unfit("qos", "PBS has no quality of service; its queues have limits");
    if (spec.gpuType) throw new Unfit("gpuType", "PBS knows no types of GPU; a queue or `constraint` may");
    const chunk = [
      "select=1",
      `ncpus=${spec.cpus || 1}`,
      ...(spec.memoryMiB ? [`mem=${spec.memoryMiB}mb`] : []),
      ...(spec.gpus ? [`ngpus=${spec.gpus}`] : []),
      ...(spec.constraint ? [plain("constraint", spec.constraint, /^[\w.-]+=[\w.-]+$/)] : []),
    ].join(":");
    // A reservation is a queue of its own.
    const queue = spec.reservation
      ? plain("reservation", spec.reservation, /^[\w.-]+$/)
      : plain("partition", spec.partition || "", /^[\w.-]*$/);
    return [
      ...["qsub", "-N", spec.name, "-r", "n", "-j", "oe", "-o", spec.output, "-l", chunk],
      ...(queue ? ["-q", queue] : []),
      ...(spec.account ? ["-A", spec.account] : []),
      ...(spec.walltimeMinutes ? ["-l", `walltime=${walltime(spec.walltimeMinutes)}`] : []),
      ...spec.extra.flatMap((argument) => argument.split(/=(.*)/s).slice(0, 2)),
    ];
  },
  parseSubmit: (stdout) => idIn(stdout, /^(\d+\.[\w.-]+)$/),
  argvForList: () => utc("qstat", "-f", "-F", "json"),
  parseList: jobs,
  argvForFind: (name, account) => utc("sh", "-c", FIND, "find", name, account),
  parseFind: (stdout, name) =>
    stdout === "" ? [] : jobs(stdout, name).filter(({ state }) => state !== "stopping" && state !== "ended"),
  argvForCancel: (name, account, jobId = "") => ["sh", "-c", CANCEL, "cancel", name, account, jobId],
  argvForFinished: (ids) => utc("qstat", "-x", "-f", "-F", "json", ...ids),
  parseFinished: (stdout) => jobs(stdout).filter(({ state }) => state === "ended"),
  argvForJob: (jobId) => ["qstat", "-f", "-F", "json", jobId],
  argvForNodes: () => ["pbsnodes", "-a", "-F", "json"],
  parseNodes: (stdout) =>
    new Map(
      part(stdout, "nodes").flatMap(([name, node]) =>
        text(node.Mom) === "" ? [] : [[name, text(node.Mom)]],
      ),
    ),
  argvForPartitions: () => ["qstat", "-Q", "-f", "-F", "json"],
  parsePartitions: (stdout) =>
    part(stdout, "Queue").map(([name, queue]) => {
      const maxMinutes = minutesOf(table(queue.resources_max).walltime);
      return {
        ...{ name, isDefault: false, isUp: queue.enabled === "True" && queue.started === "True" },
        ...(maxMinutes !== undefined && { maxMinutes }),
      };
    }),
  saysAway: (stderr) => FAULTS.find(([pattern]) => pattern.test(stderr))?.[1].kind === "transient",
  classifyError: (exitCode, stdout, stderr) =>
    exitCode === 153 || exitCode === 35
      ? { kind: "notFound" }
      : (FAULTS.find(([pattern]) => pattern.test(stderr) || pattern.test(stdout))?.[1] ?? {
          kind: "transient",
        }),
  adviceFor: (reason) =>
    /never run/i.test(reason)
      ? "It asks for more than there is and will never start: cancel it and ask for less"
      : /Insufficient amount|Not enough/i.test(reason)
        ? "It waits for free nodes"
        : undefined,
};
