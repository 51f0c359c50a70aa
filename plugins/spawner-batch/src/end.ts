import type { Row } from "@elara/sdk";
import { type JobRecords, type LaunchExit, plain } from "@elara/sdk/launcher";
import { type BatchErrorCode, CAUSES, codeOfLauncher, errors } from "./errors.ts";
import type { JobRow } from "./schedulers/scheduler.ts";

const ended = (tag: string, reason: string, end: Row["end"] = {}): Row => ({
  tag,
  state: "ended",
  reason,
  end,
});
const told = (tag: string, code: BatchErrorCode, end: Row["end"] = {}): Row =>
  ended(tag, errors[code].user, { ...end, code });

/** What the launcher in the job wrote last. */
function byRecord(tag: string, exit: LaunchExit): Row {
  const message = plain(exit.message);
  const signal = exit.signal === null ? null : plain(exit.signal);
  const end = {
    ...(exit.exitCode !== null && { exitCode: exit.exitCode }),
    ...(signal !== null && { signal }),
  };
  if (exit.code !== null) {
    const code = codeOfLauncher(exit.code);
    return code ? told(tag, code, end) : ended(tag, message, end);
  }
  if (exit.cause === "stopped") return ended(tag, "stopped, by a person or the batch system", end);
  if (signal !== null) return ended(tag, `ended by signal ${signal}`, end);
  return ended(tag, exit.exitCode === null ? message : `ended with exit code ${exit.exitCode}`, end);
}

/**
 * The last row of a server whose job is over (`job` ended) or not listed any more (`job` undefined). Undefined: nothing
 * is known of how it ended, so it is only absent.
 */
export function endOf(
  tag: string,
  job: JobRow | undefined,
  records: JobRecords | undefined,
): Row | undefined {
  const exit = records?.exit;
  if (!job) return exit ? byRecord(tag, exit) : undefined;
  // What the scheduler did to it goes before what the server made of it.
  const code = job.cause && CAUSES[job.cause];
  if (code) return told(tag, code);
  if (exit) return byRecord(tag, exit);
  if (!records && job.cause === "completed")
    return { tag, state: "unknown", reason: "its job has ended, its records cannot be read" };
  const why = job.reason === undefined ? "" : ` (${job.reason})`;
  const end = { code: "BATCH_LAUNCH_FAILED", ...(job.exitCode !== undefined && { exitCode: job.exitCode }) };
  return ended(tag, `${errors.BATCH_LAUNCH_FAILED.user}${why}`, end);
}
