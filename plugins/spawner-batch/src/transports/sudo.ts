import { localTransport } from "./local.ts";
import type { Transport } from "./transport.ts";

/**
 * Commands on the hub's own machine, those of users by `sudo -u`. It never asks for a password. Questions to the
 * scheduler run without sudo.
 */
export function sudoTransport(environment: Readonly<Record<string, string>>): Transport {
  const local = localTransport(environment);
  return {
    run: ({ account, argv, ...rest }) =>
      local.run({
        ...rest,
        argv: account === undefined ? argv : ["sudo", "-n", "-H", "-u", account, "--", ...argv],
      }),
  };
}
