import type { PluginError } from "@elara/sdk";
import { batchError } from "./errors.ts";
import { type Scheduler, Unreadable } from "./schedulers/scheduler.ts";
import { type Result, type Transport, TransportFault } from "./transports/transport.ts";

/** Above what Slurm's own commands take to give up (9 s): its own words are better than ours. */
export const COMMAND_SECONDS = 12;

/** What shells and `env` answer for a program that is not in PATH. */
export const NOT_FOUND = 127;

/**
 * Asks the scheduler as the hub and reads its answer. `isDenied`: it said that there is no such job. Throws when nothing
 * is known.
 */
export type Ask = <T>(
  argv: readonly string[],
  parse: (stdout: string, isDenied: boolean) => T,
  signal?: AbortSignal,
) => Promise<T>;

/** What a command that has no result means. */
export function faultOf(fault: TransportFault): PluginError {
  const told = { detail: fault.message, cause: fault };
  if (fault.trouble === "missing") return batchError("BATCH_SCHEDULER_MISSING", told);
  if (fault.trouble === "output") return batchError("BATCH_UNREADABLE", told);
  return batchError(fault.trouble === "deadline" ? "BATCH_SCHEDULER_AWAY" : "BATCH_UNREACHABLE", told);
}

/** How a command ended, in words for the operator; `what` it was, or who ran it. */
export function ending({ exitCode, stdout, stderr }: Result, what = ""): string {
  const said = [stderr.trim().slice(-2000), stdout.trim().slice(0, 500)].filter((part) => part !== "");
  const end = exitCode === -1 ? "ended by a signal" : `exit code ${exitCode}`;
  return `${what === "" ? "" : `${what}: `}${end}, ${said.join("; ") || "nothing was printed"}`;
}

/** A command of the scheduler failed, so nothing is known: it does not answer, or is not there. */
export const noAnswer = (call: Result, what?: string): PluginError =>
  batchError(call.exitCode === NOT_FOUND ? "BATCH_SCHEDULER_MISSING" : "BATCH_SCHEDULER_AWAY", {
    detail: ending(call, what),
  });

/** Whether a command did what it was for. Some end with 0 although nobody answered them. */
export const isDone = (scheduler: Scheduler, { exitCode, stderr }: Result): boolean =>
  exitCode === 0 && !scheduler.saysAway(stderr);

/** Reads what a command printed; output that is not understood is an error, never an empty answer. */
export function read<T>(parse: (stdout: string) => T, stdout: string): T {
  try {
    return parse(stdout);
  } catch (error) {
    if (error instanceof Unreadable)
      throw batchError("BATCH_UNREADABLE", { detail: error.message, cause: error });
    throw error;
  }
}

/** The way to ask this scheduler. */
export function asking(scheduler: Scheduler, transport: Transport): Ask {
  return async (argv, parse, signal) => {
    const command = { argv, deadlineMs: COMMAND_SECONDS * 1000, ...(signal && { signal }) };
    const result = await transport.run(command).catch((error: unknown) => {
      throw error instanceof TransportFault ? faultOf(error) : error;
    });
    const { exitCode, stdout, stderr } = result;
    if (isDone(scheduler, result)) return read((text) => parse(text, false), stdout);
    // "No such job" is an answer: of several that were asked for the others may be printed.
    if (scheduler.classifyError(exitCode, stdout, stderr).kind === "notFound")
      return read((text) => parse(text, true), stdout.trim() === "" ? scheduler.nothing : stdout);
    throw noAnswer(result, argv.join(" "));
  };
}
