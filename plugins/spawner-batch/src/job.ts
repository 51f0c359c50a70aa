import { isAccount, type SpawnRequest } from "@elara/sdk";
import type { JobOrder } from "@elara/sdk/launcher";
import { badOption, batchError } from "./errors.ts";
import type { Options } from "./options.ts";
import { type JobSpec, type Scheduler, Unfit } from "./schedulers/scheduler.ts";
import type { ScriptFacts } from "./script.ts";

/** Name of the job of this server. Holds nothing a user wrote. */
export const jobName = (tag: string): string => `elara-${tag}`;

/** The account at the batch system. Never one that a command would take for a flag. */
export function accountOf(config: Options, userName: string): string {
  const account = config.user.replaceAll("{username}", userName);
  if (!isAccount(account))
    throw batchError("BATCH_ACCOUNT_REFUSED", {
      detail: `no name of an account: ${JSON.stringify(account)}`,
    });
  return account;
}

/** What the scheduler is asked for. */
export function jobSpec({ tag, options }: Pick<SpawnRequest<Options>, "tag" | "options">): JobSpec {
  const { partition, account, qos, reservation, constraint, gpuType } = options;
  const { cpus, memoryMiB, gpus, walltimeMinutes, extraArguments } = options;
  return {
    ...{ name: jobName(tag), output: "job.out", extra: extraArguments },
    ...{ partition, account, qos, reservation, constraint, gpuType },
    ...{ cpus, memoryMiB, gpus, walltimeMinutes },
  };
}

/** The submit of it; a value that this scheduler cannot take is an error of its option. */
export function submitArgv(scheduler: Scheduler, spec: JobSpec): string[] {
  try {
    return scheduler.argvForSubmit(spec);
  } catch (error) {
    if (!(error instanceof Unfit)) throw error;
    throw badOption(error.field, error.message, error);
  }
}

/** What the job starts. Secrets are in here and go to a file of the account, nowhere else. */
export function jobOrder(
  config: Options,
  { tag, argv, env, servicePrefix }: SpawnRequest<Options>,
): JobOrder {
  return {
    tag,
    argv,
    env,
    servicePrefix,
    host: config.listen,
    portRange: config.portRange,
    portRestSeconds: config.portRestSeconds,
    logBytes: config.logBytes,
    graceSeconds: config.killWaitSeconds,
  };
}

/** What the job script may speak of: of the options also those a wrapped spawner added. */
export function scriptFacts(
  config: Options,
  { user, server, options }: SpawnRequest<Options>,
  account: string,
): ScriptFacts {
  const { script: _, ...known } = options;
  return { python: config.python, user: user.name, account, server, options: known };
}
