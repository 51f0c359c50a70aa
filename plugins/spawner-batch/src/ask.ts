import type { PluginError } from "@elara/sdk";
import { batchError } from "./errors.ts";
import { type Scheduler, Unreadable } from "./schedulers/scheduler.ts";
import { type Transport, TransportFault } from "./transports/transport.ts";

/** Above what Slurm's own commands take to give up (9 s): its own words are better than ours. */
export const COMMAND_SECONDS = 12;

/** Asks the scheduler as the hub and reads its answer. Throws when nothing is known. */
export type Ask = <T>(
  argv: readonly string[],
  parse: (stdout: string) => T,
  signal?: AbortSignal,
) => Promise<T>;

/** What a command that has no result means. */
export function faultOf(fault: TransportFault): PluginError {
  const told = { detail: fault.message, cause: fault };
  if (fault.trouble === "missing") return batchError("BATCH_SCHEDULER_MISSING", told);
  if (fault.trouble === "output") return batchError("BATCH_UNREADABLE", told);
  return batchError(fault.trouble === "deadline" ? "BATCH_SCHEDULER_AWAY" : "BATCH_UNREACHABLE", told);
}

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
    const { exitCode, stdout, stderr } = await transport.run(command).catch((error: unknown) => {
      throw error instanceof TransportFault ? faultOf(error) : error;
    });
    if (exitCode === 0) return read(parse, stdout);
    // "No such job" is an answer: of several that were asked for the others may be printed.
    if (scheduler.classifyError(exitCode, stdout, stderr).kind === "notFound")
      return read(parse, stdout.trim() === "" ? scheduler.nothing : stdout);
    throw batchError("BATCH_SCHEDULER_AWAY", { detail: { argv, exitCode, stderr: stderr.slice(0, 2000) } });
  };
}
