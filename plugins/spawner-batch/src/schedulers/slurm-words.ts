import type { Fault, JobCause, JobRow } from "./scheduler.ts";

/** Its states of jobs that live. */
export const STATES: Readonly<Record<string, JobRow["state"]>> = {
  PENDING: "queued",
  REQUEUED: "queued",
  REQUEUE_FED: "queued",
  REQUEUE_HOLD: "held",
  SPECIAL_EXIT: "held",
  RESV_DEL_HOLD: "held",
  CONFIGURING: "starting",
  RUNNING: "running",
  RESIZING: "running",
  SUSPENDED: "suspended",
  STOPPED: "suspended",
  COMPLETING: "stopping",
  SIGNALING: "stopping",
  STAGE_OUT: "stopping",
};
/** Its states of jobs that are over. */
export const CAUSES: Readonly<Record<string, JobCause>> = {
  COMPLETED: "completed",
  FAILED: "failed",
  BOOT_FAIL: "nodeFailed",
  NODE_FAIL: "nodeFailed",
  TIMEOUT: "timeLimit",
  DEADLINE: "timeLimit",
  OUT_OF_MEMORY: "outOfMemory",
  PREEMPTED: "preempted",
  CANCELLED: "cancelled",
  REVOKED: "cancelled",
};

/** Patterns of what its commands say on stderr, first match wins. */
const FAULTS: readonly (readonly [RegExp, Fault])[] = [
  [/Invalid (job id|user)/i, { kind: "notFound" }],
  [
    /contact slurm controller|timed out|Connection (refused|reset)|Unable to connect|Zero Bytes/i,
    { kind: "transient" },
  ],
  [/munge|Protocol authentication|credential|backup controller|communication/i, { kind: "transient" }],
  [/temporarily|accounting storage is disabled|slurmdbd/i, { kind: "transient" }],
  [/account\/partition|Invalid account/i, { kind: "denied", field: "account" }],
  [/batch script/i, { kind: "invalid", field: "script" }],
  [
    /(unrecognized|invalid) option|option requires|licen[cs]e|node name|wckey|--(nice|gres-flags|hint|mail|tmp|switches)/i,
    { kind: "invalid", field: "extraArguments" },
  ],
  [/not permitted to use this partition/i, { kind: "denied", field: "partition" }],
  [/CPU count|processors|--cpus-per-task/i, { kind: "invalid", field: "cpus" }],
  [/denied|not permitted|policy/i, { kind: "denied" }],
  [/qos/i, { kind: "denied", field: "qos" }],
  [/partition/i, { kind: "invalid", field: "partition" }],
  [/reservation/i, { kind: "invalid", field: "reservation" }],
  [/feature|constraint/i, { kind: "invalid", field: "constraint" }],
  [/time limit|time specification/i, { kind: "invalid", field: "walltimeMinutes" }],
  [/memory|--mem/i, { kind: "invalid", field: "memoryMiB" }],
  [/gres|TRES/i, { kind: "invalid", field: "gpus" }],
  [/submission failed|invalid|unrecognized|Unable to allocate/i, { kind: "invalid" }],
];

/** Reasons of waiting by the begin of Slurm's word, the longest first where one begins another. */
const ADVICE: readonly (readonly [prefix: string, advice: string])[] = [
  ["Resources", "It waits for free nodes"],
  ["Priority", "Other jobs come first"],
  [
    "PartitionTimeLimit",
    "It asks for more time than the partition allows and will never start: cancel it and ask for less time",
  ],
  [
    "PartitionNodeLimit",
    "It asks for more than the partition allows and will never start: cancel it and ask for less",
  ],
  ["PartitionDown", "The partition is closed at the moment"],
  ["PartitionInactive", "The partition is closed at the moment"],
  [
    "PartitionConfig",
    "It asks for more than the partition allows: cancel it and ask for less, or choose another partition",
  ],
  [
    "ReqNodeNotAvail",
    "Nodes it could run on are reserved or down, perhaps for maintenance: less time may help",
  ],
  ["BadConstraints", "No node has what it asks for: cancel it and ask for something else"],
  ["QOSMax", "You have reached a limit of this quality of service: end other jobs or ask for less"],
  ["QOSGrp", "All users together have reached a limit of this quality of service"],
  ["QOSMin", "It asks for less than this quality of service demands"],
  ["QOS", "A limit of the quality of service holds it back"],
  ["AssocGrp", "Your project has reached a limit"],
  ["AssocMax", "You have reached a limit of your project: end other jobs or ask for less"],
  ["Assoc", "A limit of your project holds it back"],
  ["MaxCpu", "Your project has reached a limit"],
  ["InvalidAccount", "Your account is not known or not active there: ask the centre"],
  ["InvalidQOS", "This quality of service is not open to you: choose another one"],
  ["Licenses", "It waits for a licence that others use"],
  ["Dependency", "It waits for another job"],
  ["Reservation", "It waits for its reservation to begin"],
  ["BeginTime", "Its earliest start time has not come"],
  ["JobHeldUser", "You hold it back: release it, or cancel it"],
  ["JobHeldAdmin", "The administrators hold it back: ask the centre"],
  ["NodeDown", "A node it needs is down"],
  ["JobArrayTaskLimit", "Too many tasks of this array run"],
  ["None", "It was just handed in"],
];

/** What one of Slurm's reasons means for people; undefined for one that is not known. */
export const slurmAdvice = (reason: string): string | undefined =>
  ADVICE.find(([prefix]) => reason.startsWith(prefix))?.[1];

/** What one of its sentences means; undefined for one that is not known. */
export const slurmFault = (words: string): Fault | undefined =>
  FAULTS.find(([pattern]) => pattern.test(words))?.[1];
