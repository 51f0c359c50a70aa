import { randomBytes } from "node:crypto";
import { type Ssh, SshError, type SshFault } from "@elara/ssh";
import { type Transport, TransportFault, type TransportTrouble } from "./transport.ts";

/** Where the scheduler's commands are. */
export interface LoginNode {
  readonly host: string;
  readonly port: number;
  /** The hub's own account there, for questions to the scheduler. */
  readonly account: string;
  /** Environment of commands; no secrets. */
  readonly environment: Readonly<Record<string, string>>;
}

/** Says where the command's own output begins: start-up files of the account may have printed before it. */
const BEGIN = 'printf "%s\\n" "$0"; printf "%s\\n" "$0" >&2; exec "$@"';

/** What came after the mark; all of it when a host runs something else than what it is asked. */
function after(mark: string, text: string): string {
  const at = text.indexOf(`${mark}\n`);
  return at === -1 ? text : text.slice(at + mark.length + 1);
}

const TROUBLE: Partial<Record<SshFault, TransportTrouble>> = {
  ...{ deadline: "deadline", output: "output", login: "login" },
};

/** Commands on a login node, each as the account it is for. */
export function sshTransport(ssh: Ssh, { host, port, account: own, environment }: LoginNode): Transport {
  const prefix = Object.entries(environment).map(([name, value]) => `${name}=${value}`);
  return {
    async run({ account = own, argv, stdin, deadlineMs, signal }) {
      const mark = `elara-${randomBytes(8).toString("hex")}`;
      const command = {
        argv: ["sh", "-c", BEGIN, mark, ...(prefix.length === 0 ? [] : ["env", ...prefix]), ...argv],
        deadlineMs,
        ...(stdin !== undefined && { stdin }),
        ...(signal && { signal }),
      };
      const result = await ssh.run({ host, port, account }, command).catch((error: unknown) => {
        if (!(error instanceof SshError)) throw error;
        throw new TransportFault(TROUBLE[error.fault] ?? "unreachable", error.message, { cause: error });
      });
      return { ...result, stdout: after(mark, result.stdout), stderr: after(mark, result.stderr) };
    },
    close: () => ssh.close(),
  };
}
