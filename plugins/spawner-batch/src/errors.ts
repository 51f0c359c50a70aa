import { PluginError, type PluginErrors } from "@elara/sdk";
import { codesOf } from "@elara/sdk/launcher";
import type { JobCause } from "./schedulers/scheduler.ts";

const LATER = "Your server cannot be started at the moment. The administrators can see why.";

/** What can go wrong at a batch system. */
export const errors = {
  BATCH_SCHEDULER_AWAY: {
    status: 503,
    user: "The batch system does not answer at the moment. Try again soon.",
    operator:
      "A command of the scheduler failed or gave no answer in time: its controller is down or busy. What it said is in the detail.",
    retryable: true,
  },
  BATCH_UNREADABLE: {
    status: 503,
    user: "The batch system gives answers the hub does not understand. The administrators can see why.",
    operator:
      "A command of the scheduler printed what the hub cannot read, so nothing is concluded from it: a wrapper around it, or a version not seen yet? What it printed is in the detail.",
    retryable: true,
  },
  BATCH_REFUSED: {
    status: 400,
    user: "The batch system refused the job.",
    operator: "The scheduler refused the submit; its own words stand in the message for the user.",
  },
  BATCH_OPTIONS_INVALID: {
    status: 400,
    user: "What was chosen cannot work.",
    operator: "An option of the batch spawner has a value that cannot work; the message names it.",
  },
  BATCH_UNREACHABLE: {
    status: 503,
    user: "The batch system cannot be reached at the moment. Try again soon.",
    operator:
      "The login node cannot be reached or does not let the hub's own account in (option `login`), or no program can be begun on this machine. Why is in the detail.",
    retryable: true,
  },
  BATCH_ACCOUNT_MISSING: {
    status: 403,
    user: "You have no account at the batch system that the hub can use. Ask the administrators.",
    operator:
      "sudo knows no account of this name, or the login node does not let it in with the hub's key. Names of accounts are made by the option `user`.",
  },
  BATCH_ACCOUNT_REFUSED: {
    status: 403,
    user: "Servers do not run under this account. Ask the administrators.",
    operator:
      "The account's uid is below `minUid`, its name can be none of an account, or sudo has no rule that lets the hub run `python` as it; which is in the detail.",
  },
  BATCH_SCHEDULER_MISSING: {
    status: 500,
    user: LATER,
    operator:
      "A command of the scheduler is not in PATH where it is run; which is in the detail. Set PATH in the option `environment`.",
  },
  BATCH_PYTHON_MISSING: {
    status: 500,
    user: LATER,
    operator:
      "There is no program of the name in the option `python` where users' commands run. Give the whole path of a Python 3.9 or newer.",
  },
  BATCH_DESK_FAILED: {
    status: 500,
    user: LATER,
    operator:
      "The small program that the hub runs as the user gave no answer: is the option `python` a Python 3.9 or newer there? What it said is in the detail.",
  },
  BATCH_RUN_DIR_UNUSABLE: {
    status: 500,
    user: "Your home directory cannot be used. Ask the administrators.",
    operator:
      "The user cannot write the option `runDir`: the home is missing, full, read-only or not mounted. What the system said is in the detail.",
    retryable: true,
  },
  BATCH_BUSY: {
    status: 503,
    user: "Your server is being started already. Try again in a moment.",
    operator: "Another submit of the same server has not come to an end: the scheduler's answer to it hangs.",
    retryable: true,
  },
  BATCH_HUB_UNREACHABLE: {
    status: 500,
    user: "Servers cannot be started here at the moment. The administrators can see why.",
    operator:
      "A job does not reach the hub at the address that servers are given. Set `network.internalHost` to one that nodes reach, or open the firewall.",
  },
  BATCH_STILL_RUNNING: {
    status: 409,
    user: "The server has not ended yet.",
    operator: "Its job is there still, so its records are kept. Stop it first.",
  },
  BATCH_TIME_LIMIT: {
    status: 500,
    user: "The time you asked for is over.",
    operator: "The job reached its time limit.",
  },
  BATCH_OUT_OF_MEMORY: {
    status: 500,
    user: "Your server needed more memory than it asked for. Start it with more.",
    operator: "The scheduler ended the job for its use of memory.",
  },
  BATCH_NODE_FAILED: {
    status: 500,
    user: "The machine your server ran on failed.",
    operator: "The scheduler says that a node of the job failed.",
  },
  BATCH_PREEMPTED: {
    status: 500,
    user: "A job that comes first took the place of your server.",
    operator: "The scheduler preempted the job.",
  },
  BATCH_CANCELLED: {
    status: 500,
    user: "The job of your server was cancelled at the batch system.",
    operator: "The job was cancelled: by its owner or an administrator, or by the hub before it began.",
  },
  BATCH_RUN_AGAIN: {
    status: 500,
    user: "The batch system lost your server. Start it again.",
    operator:
      "The scheduler ran the job a second time, as after a crash of its controller; its server is not started again.",
  },
  BATCH_ORDER_MISSING: {
    status: 500,
    user: "Your server was cancelled before it started.",
    operator: "The job began after its start had been taken back, so what it should run was gone.",
  },
  BATCH_LAUNCH_FAILED: {
    status: 500,
    user: "The job of your server ended before the server started. The administrators can see why.",
    operator:
      "The job ended without a record of the server: see `job.out` in its folder under `runDir`, the option `script`, and the scheduler's log.",
  },
  BATCH_COMMAND_NOT_FOUND: {
    status: 500,
    user: "The program that runs your server is not installed on the node.",
    operator:
      "`spawn.command` was not found in PATH of the job. Load a module in the option `script`, or give the whole path.",
  },
  BATCH_NO_PORT: {
    status: 503,
    user: "All ports for servers on the node are taken. Try again.",
    operator: "No port of the option `portRange` is free on the node. Widen the range.",
    retryable: true,
  },
  BATCH_PORT_LOST: {
    status: 503,
    user: "Your server's address was taken by another program. Try again.",
    operator: "Other programs took five ports in a row. Move `portRange` away from the ports they use.",
    retryable: true,
  },
} as const satisfies PluginErrors;

export type BatchErrorCode = keyof typeof errors;

interface Told {
  readonly detail?: unknown;
  readonly cause?: unknown;
  readonly field?: string;
  /** Instead of the table's sentences. */
  readonly message?: string;
  readonly operator?: string;
}

/** An error of this plugin; `detail` and `cause` are for the operator only. */
export const batchError = (code: BatchErrorCode, told: Told = {}): PluginError =>
  new PluginError(errors, code, told);

/** An option that cannot be as it is; said to user and operator alike. */
export const badOption = (field: string, message: string, cause?: unknown): PluginError =>
  batchError("BATCH_OPTIONS_INVALID", { field, message, operator: message, cause });

/** Why a job ended, as an error of this plugin; undefined where its own records say more. */
export const CAUSES: Readonly<Partial<Record<JobCause, BatchErrorCode>>> = {
  timeLimit: "BATCH_TIME_LIMIT",
  outOfMemory: "BATCH_OUT_OF_MEMORY",
  nodeFailed: "BATCH_NODE_FAILED",
  preempted: "BATCH_PREEMPTED",
  cancelled: "BATCH_CANCELLED",
};

/** A code of the program that runs at the batch system. */
export const codeOfLauncher = codesOf(errors, "BATCH", { CWD_UNUSABLE: "RUN_DIR_UNUSABLE" });
