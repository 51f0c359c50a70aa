import { PluginError, type PluginErrorOptions, type PluginErrors } from "@elara/sdk";
import { codesOf } from "@elara/sdk/launcher";
import { SshError, type SshFault } from "@elara/ssh";

const ASK = "Your server could not be started. The administrators can see why.";

/** What can go wrong on other machines. `{host}` becomes the machine's name. */
export const errors = {
  SSH_UNREACHABLE: {
    status: 503,
    user: "{host} does not answer at the moment.",
    operator: "The machine cannot be reached by ssh, or did not answer in time.",
    retryable: true,
  },
  SSH_HOST_KEY: {
    status: 503,
    user: "{host} could not prove that it is the right machine. The administrators have to look.",
    operator: "The key of the host is not the known one, so nothing was sent there.",
    retryable: true,
  },
  SSH_CREDENTIAL: {
    status: 503,
    user: "The hub cannot log in to {host} at the moment. The administrators can see why.",
    operator: "The hub's own key or certificate cannot be used.",
    retryable: true,
  },
  SSH_LOGIN_REFUSED: {
    status: 403,
    user: "{host} does not let your account in. Do you have one there?",
    operator: "The machine refused the hub's key or certificate.",
  },
  SSH_ACCOUNT_REFUSED: {
    status: 403,
    user: "Servers do not run under this account. Ask the administrators.",
    operator: "`account` made a name that is no ordinary account: root, a uid below `minUid`, odd signs.",
  },
  SSH_HOST_UNKNOWN: {
    status: 400,
    user: "There is no such machine to choose.",
    operator: "The machine that was asked for is not in `hosts`.",
  },
  SSH_COMMAND_NOT_FOUND: {
    status: 500,
    user: "The program that runs your server is not installed on {host}.",
    operator: "`command` was not found there or cannot be executed. It is looked up in `path`.",
  },
  SSH_PYTHON_MISSING: {
    status: 500,
    user: ASK,
    operator: "Python 3.9 or newer is needed on the machine. Install python3, or set `python`.",
  },
  SSH_NO_PORT: {
    status: 503,
    user: "All places on {host} are taken. Try again in two minutes.",
    operator: "No free port in `portRange` there; ports rest two minutes after use. Widen the range.",
    retryable: true,
  },
  SSH_PORT_LOST: {
    status: 503,
    user: "Your server's address was taken by another program. Try again.",
    operator: "Other programs took five ports in a row there. Move `portRange` away from the ports they use.",
    retryable: true,
  },
  SSH_BIND_UNUSABLE: {
    status: 500,
    user: ASK,
    operator: "Servers cannot listen on `bind` of this machine: it is no address of it.",
  },
  SSH_HOME_UNUSABLE: {
    status: 500,
    user: "Your home directory on {host} cannot be used. Ask the administrators.",
    operator: "The account's home does not exist there, cannot be entered, or does not answer.",
  },
  SSH_RUN_DIR_UNUSABLE: {
    status: 500,
    user: "Your files on {host} cannot be used at the moment: is your quota used up?",
    operator: "`runDir` cannot be used there (home away, full, no flock); the detail has the system's word.",
    retryable: true,
  },
  SSH_BUSY: {
    status: 503,
    user: "Your server is being started already. Try again in a moment.",
    operator: "Another start of the same server did not come to an end there. Is the machine overloaded?",
    retryable: true,
  },
  SSH_CANCELLED: {
    status: 400,
    user: "The start was cancelled.",
    operator: "A stop came before the process was started.",
  },
  SSH_STILL_RUNNING: {
    status: 409,
    user: "The server has not ended yet.",
    operator: "Records of a running server are kept. Stop it first.",
  },
  SSH_MACHINE_RESTARTED: {
    status: 500,
    user: "The machine your server ran on was restarted.",
    operator: "The boot id differs from the one the server was started under.",
  },
  SSH_HUB_UNREACHABLE: {
    status: 500,
    user: ASK,
    operator:
      "The hub's API has a loopback address, which is another machine's own there. Set `network.internalHost` and `network.internalUrl`, or the spawner's `apiUrl`.",
  },
  SSH_OPTIONS_INVALID: {
    status: 400,
    user: "What was chosen cannot work.",
    operator: "An option of the ssh spawner has a value that cannot work; the message names it.",
  },
  SSH_LAUNCHER_FAILED: {
    status: 500,
    user: ASK,
    operator: "The launcher failed there; its words are in the detail, or in launcher.log of the run folder.",
  },
} as const satisfies PluginErrors;

export type SshErrorCode = keyof typeof errors;

/** What is known beside the code. `host`: the machine's name; `operator`: words after the table's; `detail` is logged only. */
type Known = Pick<PluginErrorOptions, "operator" | "detail" | "cause" | "nothingMade"> & { host?: string };

/** An error of this plugin. */
export function sshError(code: SshErrorCode, given: Known = {}): PluginError {
  const { host = "The machine", operator, ...rest } = given;
  const entry = errors[code];
  return new PluginError(errors, code, {
    ...rest,
    message: entry.user.replace("{host}", host),
    operator: operator === undefined ? entry.operator : `${entry.operator} ${operator}`,
  });
}

/** By fault of the library. */
const CODES: Readonly<Record<SshFault, SshErrorCode>> = {
  unreachable: "SSH_UNREACHABLE",
  deadline: "SSH_UNREACHABLE",
  closed: "SSH_UNREACHABLE",
  host_key: "SSH_HOST_KEY",
  credential: "SSH_CREDENTIAL",
  login: "SSH_LOGIN_REFUSED",
  output: "SSH_LAUNCHER_FAILED",
};

/** What the library could not do, as an error of this plugin; anything else stays as it is. */
export const fromSsh = (error: unknown, host: string, known: Pick<Known, "nothingMade"> = {}): unknown =>
  error instanceof SshError
    ? sshError(CODES[error.fault], { host, operator: error.message, cause: error, ...known })
    : error;

/** Refused for good, as the account is not let in: no machine that is silent at the moment. */
export const isRefusal = (error: unknown): boolean =>
  error instanceof PluginError && error.status < 500 && !error.retryable;

const known = codesOf(errors, "SSH", { CWD_UNUSABLE: "HOME_UNUSABLE", HOST_UNUSABLE: "BIND_UNUSABLE" });

/** Code of this plugin for one of the launcher. */
export const codeOf = (launcher: string): SshErrorCode => known(launcher) ?? "SSH_LAUNCHER_FAILED";
