/**
 * One command at the batch system. argv meets no shell of ours; where a shell is on the way, the transport alone
 * quotes.
 */
export interface Command {
  /** Absent: as the hub's own account there; for questions to the scheduler. */
  readonly account?: string;
  readonly argv: readonly string[];
  readonly stdin?: string;
  /** Milliseconds for all of it; then it is ended for good. */
  readonly deadlineMs: number;
  readonly signal?: AbortSignal;
}

/** What a command said. */
export interface Result {
  /** -1 when it was ended by a signal. */
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** A way to run commands at the batch system, as the hub and as its users. */
export interface Transport {
  /** Throws a TransportFault when it could not be run to its end, never for its exit code. */
  run(command: Command): Promise<Result>;
  close?(): Promise<void>;
}

/**
 * Why a command could not be run: `missing` (no such program), `deadline`, `output` (too much of it), `login` (the
 * account is not let in), `unreachable`.
 */
export type TransportTrouble = "missing" | "deadline" | "output" | "login" | "unreachable";

/** The command has no result. Says nothing about what runs at the batch system. */
export class TransportFault extends Error {
  override readonly name = "TransportFault";
  readonly trouble: TransportTrouble;
  constructor(trouble: TransportTrouble, message: string, options?: ErrorOptions) {
    super(message, options);
    this.trouble = trouble;
  }
}

/** More output than any answer of a scheduler has. */
export const OUTPUT_BYTES = 16 << 20;
