import { PluginError, type PluginErrors } from "@elara/sdk";
import { codesOf } from "@elara/sdk/launcher";

/** What can go wrong on this machine. */
export const errors = {
  LOCAL_COMMAND_NOT_FOUND: {
    status: 500,
    user: "The program that runs your server is not installed here.",
    operator:
      "`spawn.command` was not found or cannot be executed. It is looked up in PATH of `spawn.environment`, else of the hub.",
  },
  LOCAL_ACCOUNT_MISSING: {
    status: 403,
    user: "You have no account on this machine. Ask the administrators.",
    operator:
      "`systemAccounts` is on: servers run as the account of the user's name, and the machine knows none of this name (`getent passwd NAME`). Make it, or take the name out of those that may log in.",
  },
  LOCAL_ACCOUNT_REFUSED: {
    status: 403,
    user: "Servers do not run under this account. Ask the administrators.",
    operator: "The account's uid is below `minUid`: root and service accounts get no server.",
  },
  LOCAL_PYTHON_MISSING: {
    status: 500,
    user: "Servers cannot be started here at the moment. The administrators can see why.",
    operator: "Python 3.9 or newer is needed to start servers. Install python3, or set the option `python`.",
  },
  LOCAL_LINUX_ONLY: {
    status: 500,
    user: "Servers cannot be started here.",
    operator: "The local spawner needs Linux: it tells processes apart by /proc.",
  },
  LOCAL_NO_PORT: {
    status: 503,
    user: "All places on this machine are taken. Try again in two minutes.",
    operator: "No free port in `portRange`; ports rest `portRestSeconds` after use. Widen the range.",
    retryable: true,
  },
  LOCAL_PORT_LOST: {
    status: 503,
    user: "Your server's address was taken by another program. Try again.",
    operator:
      "Other programs took five ports in a row before the server could listen. Move `portRange` away from the ports they use.",
    retryable: true,
  },
  LOCAL_HOST_UNUSABLE: {
    status: 500,
    user: "Servers cannot be started here at the moment. The administrators can see why.",
    operator: "`host` is no address of this machine.",
  },
  LOCAL_HOME_UNUSABLE: {
    status: 500,
    user: "Your home directory cannot be used. Ask the administrators.",
    operator:
      "The home does not exist, cannot be made, or the account may not enter it; the detail names it.",
  },
  LOCAL_NEEDS_ROOT: {
    status: 500,
    user: "Servers cannot be started here. Ask the administrators.",
    operator: "`systemAccounts` needs a hub that runs as root.",
  },
  LOCAL_LIMIT_REFUSED: {
    status: 500,
    user: "Servers cannot be started here. Ask the administrators.",
    operator: "An entry of `limits` is unknown or above what the hub itself may use; the detail names it.",
  },
  LOCAL_RUN_DIR_UNUSABLE: {
    status: 500,
    user: "Servers cannot be started here at the moment. The administrators can see why.",
    operator:
      "The spawner's data folder cannot be written (full, read-only, no flock); the detail has the system's word.",
    retryable: true,
  },
  LOCAL_BUSY: {
    status: 503,
    user: "Your server is being started already. Try again in a moment.",
    operator:
      "Another start of the same server did not come to an end within 10 s. Is the machine overloaded?",
    retryable: true,
  },
  LOCAL_CANCELLED: {
    status: 400,
    user: "The start was cancelled.",
    operator: "A stop came before the process was started.",
  },
  LOCAL_STILL_RUNNING: {
    status: 409,
    user: "The server has not ended yet.",
    operator: "Records of a running server are kept. Stop it first.",
  },
  LOCAL_OPTIONS_INVALID: {
    status: 400,
    user: "What was chosen cannot work.",
    operator: "An option of the local spawner has a value that cannot work; the message names it.",
  },
  LOCAL_MACHINE_RESTARTED: {
    status: 500,
    user: "The machine your server ran on was restarted.",
    operator: "The boot id differs from the one the server was started under.",
  },
  LOCAL_LAUNCHER_FAILED: {
    status: 500,
    user: "Your server could not be started. The administrators can see why.",
    operator: "A fault of the launcher; its words are in the detail, or in launcher.log of the run folder.",
  },
} as const satisfies PluginErrors;

export type LocalErrorCode = keyof typeof errors;

/** An error of this plugin; `detail` is for the operator only. */
export const localError = (code: LocalErrorCode, detail?: unknown, cause?: unknown): PluginError =>
  new PluginError(errors, code, { detail, cause });

/** The same of a start as an account, which is named where it is what is wrong. */
export function accountError(code: LocalErrorCode, detail: string, account: string | undefined): PluginError {
  const named: Partial<Record<LocalErrorCode, string>> = {
    LOCAL_ACCOUNT_MISSING: `Your server would run as the account "${account}" of this machine, and there is no such account. Ask the administrators to make it.`,
    LOCAL_ACCOUNT_REFUSED: `Your server would run as the account "${account}" of this machine, and servers do not run under that one. Ask the administrators.`,
  };
  const message = account === undefined ? undefined : named[code];
  return new PluginError(errors, code, message === undefined ? { detail } : { detail, message });
}

const known = codesOf(errors, "LOCAL", { CWD_UNUSABLE: "HOME_UNUSABLE" });

/** Code of this plugin for one of launch.py. */
export const codeOf = (launcher: string): LocalErrorCode => known(launcher) ?? "LOCAL_LAUNCHER_FAILED";
