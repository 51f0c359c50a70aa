import type { Row } from "@elara/sdk";
import { endedRow, type JobRecords } from "@elara/sdk/launcher";
import { CAUSES, codeOfLauncher, errors } from "./errors.ts";
import type { JobRow } from "./schedulers/scheduler.ts";

/**
 * The last row of a server whose job is over (`job` ended) or not listed any more (`job` undefined). Undefined:
 * nothing is known of how it ended, so it is only absent.
 */
export function endOf(
  tag: string,
  job: JobRow | undefined,
  records: JobRecords | undefined,
): Row | undefined {
  const exit = records?.exit;
  const byRecord = exit && endedRow(tag, exit, { codeOf: codeOfLauncher, errors });
  if (!job) return byRecord ?? undefined;
  // What the scheduler did to it goes before what the server made of it.
  const code = job.cause && CAUSES[job.cause];
  if (code) return { tag, state: "ended", reason: errors[code].user, end: { code } };
  if (byRecord) return byRecord;
  if (!records && job.cause === "completed")
    return { tag, state: "unknown", reason: "its job has ended, its records cannot be read" };
  const why = job.reason === undefined ? "" : ` (${job.reason})`;
  const end = { code: "BATCH_LAUNCH_FAILED", ...(job.exitCode !== undefined && { exitCode: job.exitCode }) };
  return { tag, state: "ended", reason: `${errors.BATCH_LAUNCH_FAILED.user}${why}`, end };
}
