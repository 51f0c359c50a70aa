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

const TROUBLE: Partial<Record<SshFault, TransportTrouble>> = { deadline: "deadline", output: "output" };

/** Commands on a login node, each as the account it is for. */
export function sshTransport(ssh: Ssh, { host, port, account: own, environment }: LoginNode): Transport {
  const prefix = Object.entries(environment).map(([name, value]) => `${name}=${value}`);
  return {
    async run({ account = own, argv, stdin, deadlineMs, signal }) {
      const command = {
        argv: prefix.length === 0 ? argv : ["env", ...prefix, ...argv],
        deadlineMs,
        ...(stdin !== undefined && { stdin }),
        ...(signal && { signal }),
      };
      return ssh.run({ host, port, account }, command).catch((error: unknown) => {
        if (!(error instanceof SshError)) throw error;
        throw new TransportFault(TROUBLE[error.fault] ?? "unreachable", error.message, { cause: error });
      });
    },
    close: () => ssh.close(),
  };
}
