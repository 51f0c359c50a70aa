import type { PluginError } from "@elara/sdk";
import type { DeskCall } from "@elara/sdk/launcher";
import { ending, noAnswer } from "./ask.ts";
import { batchError } from "./errors.ts";
import type { Scheduler } from "./schedulers/scheduler.ts";

/** Why a submit failed, in the scheduler's own words and with the option they are about. */
export function refusalOf(scheduler: Scheduler, call: DeskCall): PluginError {
  const { exitCode, stdout, stderr } = call;
  const { kind, field } = scheduler.classifyError(exitCode, stdout, stderr);
  if (kind === "transient") return noAnswer(call);
  const words = wordsOf(stderr);
  return batchError("BATCH_REFUSED", {
    detail: ending(call),
    message: `The batch system refused the job${words === "" ? "." : `: ${words}`}`,
    ...(field !== undefined && { field }),
  });
}

/** What a command of the scheduler said, fit for a page. */
const wordsOf = (stderr: string): string =>
  stderr
    .trim()
    .split("\n")
    .map((line) => line.replace(/^\w+: (error: )?(Batch job submission failed: )?/, ""))
    .join("; ")
    .replaceAll(/[^\x20-\x7e]/g, "?")
    .slice(0, 300);
