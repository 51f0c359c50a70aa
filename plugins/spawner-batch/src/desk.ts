import {
  type DeskTarget,
  type DeskWish,
  deskAnswers,
  deskCommand,
  LaunchRefusal,
  readAnswer,
} from "@elara/sdk/launcher";
import { type Static, Type } from "typebox";
import { COMMAND_SECONDS, ending, faultOf, NOT_FOUND } from "./ask.ts";
import { batchError, codeOfLauncher } from "./errors.ts";
import type { Options } from "./options.ts";
import { type Result, type Transport, TransportFault } from "./transports/transport.ts";

type Answers = typeof deskAnswers;

/** Carries out a wish at the batch system as this account. Throws when it could not be, or its outcome is not known. */
export type Desk = <W extends DeskWish>(
  account: string,
  wish: W,
  signal?: AbortSignal,
) => Promise<Static<Answers[W["action"]]>>;

/** Longest time of each order; a submit asks the scheduler three times. */
const SECONDS: Readonly<Record<DeskWish["action"], number>> = {
  submit: 3 * COMMAND_SECONDS,
  cancel: COMMAND_SECONDS + 2,
  records: 8,
  tail: 8,
  forget: 20,
  probe: COMMAND_SECONDS + 2,
};

/** Why there is no answer in its output. */
function failure(account: string, result: Result) {
  const { exitCode, stderr } = result;
  const detail = ending(result, `as ${account}`);
  if (/unknown user|invalid user/i.test(stderr))
    return batchError("BATCH_ACCOUNT_MISSING", { detail, message: missing(account) });
  if (exitCode === NOT_FOUND || /command not found/.test(stderr))
    return batchError("BATCH_PYTHON_MISSING", { detail });
  if (/^sudo: /m.test(stderr) || /is not allowed to execute/.test(stderr))
    return batchError("BATCH_ACCOUNT_REFUSED", { detail });
  return batchError("BATCH_DESK_FAILED", { detail });
}

const missing = (account: string): string =>
  `Your server would run as the account "${account}" of the batch system, and the hub cannot use an account of this name there. Ask the administrators.`;

/** The desk of this batch system. */
export function openDesk(config: Options, transport: Transport): Desk {
  return async <W extends DeskWish>(account: string, wish: W, signal?: AbortSignal) => {
    const seconds = SECONDS[wish.action];
    const target: DeskTarget = {
      runDir: config.runDir.replaceAll("{username}", account),
      minUid: config.transport === "local" ? 0 : config.minUid,
      seconds,
      commandSeconds: COMMAND_SECONDS,
      environment: config.environment,
    };
    const { argv, stdin } = await deskCommand(config.python, { ...target, ...wish });
    const command = { account, argv, stdin, deadlineMs: (seconds + 2) * 1000, ...(signal && { signal }) };
    const result = await transport.run(command).catch((error: unknown) => {
      if (!(error instanceof TransportFault)) throw error;
      // The program that is missing is Python; a missing scheduler the desk tells itself.
      if (error.trouble === "missing")
        throw batchError(config.transport === "sudo" ? "BATCH_DESK_FAILED" : "BATCH_PYTHON_MISSING", {
          detail: error.message,
          cause: error,
        });
      if (error.trouble === "login")
        throw batchError("BATCH_ACCOUNT_MISSING", {
          detail: error.message,
          cause: error,
          message: missing(account),
        });
      throw faultOf(error);
    });
    const action: W["action"] = wish.action;
    const answer = readAnswer(Type.Union([deskAnswers[action], LaunchRefusal]), result.stdout, result.stderr);
    if (answer.ok) return answer;
    if (answer.code === "LAUNCHER_FAILED") throw failure(account, result);
    const code = answer.code === "DEADLINE" ? "BATCH_SCHEDULER_AWAY" : codeOfLauncher(answer.code);
    throw batchError(code ?? "BATCH_DESK_FAILED", { detail: `as ${account}: ${answer.message}` });
  };
}
