import type { RowState } from "@elara/sdk";

/** What a job is to be given. Every value becomes a part of one element of argv, never text of a script. */
export interface JobSpec {
  readonly name: string;
  /** File for what the job prints, relative to its working folder. */
  readonly output: string;
  readonly partition?: string;
  readonly account?: string;
  readonly qos?: string;
  readonly reservation?: string;
  readonly constraint?: string;
  readonly cpus?: number;
  readonly memoryMiB?: number;
  readonly gpus?: number;
  readonly gpuType?: string;
  readonly walltimeMinutes?: number;
  /** Further elements of argv; their flags are allowed by the adapter. */
  readonly extra: readonly string[];
}

/** Why a job is over, where the scheduler knows. */
export type JobCause =
  | "completed"
  | "failed"
  | "timeLimit"
  | "outOfMemory"
  | "nodeFailed"
  | "cancelled"
  | "preempted";

/** One job as the scheduler tells of it. Holds no text that a user can write. */
export interface JobRow {
  /** An address: ids are given out again. With owner and submit time it tells jobs apart. */
  readonly jobId: string;
  /** Number or name of the owner, as this scheduler lists it. */
  readonly owner: string;
  /** Seconds since the epoch; 0 where the scheduler never gives an id twice. */
  readonly submittedAt: number;
  readonly state: Extract<
    RowState,
    "queued" | "held" | "starting" | "running" | "suspended" | "stopping" | "ended" | "unknown"
  >;
  /** The scheduler's own word for why it waits. */
  readonly reason?: string;
  /** Node of its script. */
  readonly node?: string;
  /** Seconds since the epoch: expected or true start, end of the allocation. */
  readonly startsAt?: number;
  readonly endsAt?: number;
  /** For `ended`. */
  readonly cause?: JobCause;
  readonly exitCode?: number;
}

/** A living job found by its name. */
export type FoundJob = Pick<JobRow, "jobId" | "submittedAt" | "state" | "owner">;

/** A partition or queue. */
export interface Partition {
  readonly name: string;
  readonly isDefault: boolean;
  readonly isUp: boolean;
  /** Longest time, and what its largest node has. Absent: no limit, or not told. */
  readonly maxMinutes?: number;
  readonly maxCpus?: number;
  readonly maxMemoryMiB?: number;
}

/**
 * What an error of a command means. `transient`: ask again, nothing is known. `denied`, `invalid`: this request never
 * works; `field` names the option it is about. `notFound`: no such job.
 */
export interface Fault {
  readonly kind: "transient" | "denied" | "invalid" | "notFound";
  readonly field?: string;
}

/** A command that runs and its parser belong together; parsers throw on output they do not understand. */
export interface Scheduler {
  readonly name: string;
  /** What its parsers read as none. */
  readonly nothing: string;
  /** Programs that the desk of a user needs. */
  readonly commands: readonly string[];
  /** Variable in a job's environment that holds its id. */
  readonly jobIdVariable: string;
  /** And the folder it was submitted in. */
  readonly submitDirVariable: string;
  /** Flags an administrator's `extraArguments` may hold. */
  readonly allowedFlags: readonly string[];
  /** Owners are listed by their numbers, not by their names. */
  readonly listsUids: boolean;
  /** How `JobRow.owner` writes this owner. */
  ownerOf(account: string, uid: number): string;
  /** Throws Unfit for a value that it cannot take. */
  argvForSubmit(spec: JobSpec): string[];
  /** The job's id. */
  parseSubmit(stdout: string): string;
  /** One listing of all jobs of these owners, those that ended lately included where that is cheap. */
  argvForList(owners: readonly string[]): string[];
  parseList(stdout: string): JobRow[];
  /** Living jobs of this name and owner, one a line; nothing printed when there is none. */
  argvForFind(name: string, account: string): string[];
  /** Throws for a job of another name. */
  parseFind(stdout: string, name: string): FoundJob[];
  /** Ends jobs of this name and owner, in any phase, and this job of the owner; none is no fault. */
  argvForCancel(name: string, account: string, jobId?: string): string[];
  /** Jobs that the listing does not show any more. */
  argvForFinished(jobIds: readonly string[]): string[];
  parseFinished(stdout: string): JobRow[];
  /** Tells of this job; fails with `notFound` when there is none. */
  argvForJob(jobId: string): string[];
  argvForNodes(): string[];
  /** Address by node. */
  parseNodes(stdout: string): Map<string, string>;
  argvForPartitions(): string[];
  parsePartitions(stdout: string): Partition[];
  /** Whether a command says that nobody answered it. */
  saysAway(stderr: string): boolean;
  classifyError(exitCode: number, stdout: string, stderr: string): Fault;
  /** What a queue reason means for people; undefined when the word says it all. */
  adviceFor(reason: string): string | undefined;
}

/** Output that is not what this scheduler prints. */
export class Unreadable extends Error {
  override readonly name = "Unreadable";
}

/** The id in the answer to a submit: the one line of its shape. Centres' wrappers print news before it. */
export function idIn(stdout: string, shape: RegExp): string {
  const ids = stdout.split("\n").flatMap((line) => shape.exec(line.trim())?.[1] ?? []);
  const [id] = ids;
  if (id === undefined || ids.length > 1)
    throw new Unreadable(`not the answer to a submit: ${JSON.stringify(stdout.slice(0, 200))}`);
  return id;
}

/** An option whose value cannot be said to this scheduler. */
export class Unfit extends Error {
  override readonly name = "Unfit";
  readonly field: string;
  constructor(field: string, message: string) {
    super(message);
    this.field = field;
  }
}

/** One partition of several kinds of nodes: what the largest of each kind has. */
export const largest = (kinds: readonly Partition[]): Partition => {
  const most = (name: "maxCpus" | "maxMemoryMiB") =>
    Math.max(...kinds.map((kind) => kind[name] ?? Number.POSITIVE_INFINITY));
  const { maxCpus: _, maxMemoryMiB: __, ...rest } = kinds[0] ?? { name: "", isDefault: false, isUp: false };
  const [maxCpus, maxMemoryMiB] = [most("maxCpus"), most("maxMemoryMiB")];
  return {
    ...rest,
    ...(Number.isFinite(maxCpus) && { maxCpus }),
    ...(Number.isFinite(maxMemoryMiB) && { maxMemoryMiB }),
  };
};
