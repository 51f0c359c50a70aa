import type { PluginHost } from "@elara/sdk";
import type { Connection } from "./connection.ts";
import { forward } from "./forward.ts";
import type { SshOptions } from "./options.ts";
import { Pool } from "./pool.ts";
import { shellLine } from "./shell-line.ts";
import { type Ssh, SshError, type SshForward, type SshTarget } from "./ssh.ts";
import { talk } from "./talk.ts";

/** The promise's outcome, or the signal's reason when that comes first. */
function orAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const onAbort = (): void => reject(signal.reason);
    signal.addEventListener("abort", onAbort);
    if (signal.aborted) onAbort();
    promise.then(resolve, reject).finally(() => signal.removeEventListener("abort", onAbort));
  });
}

/** Ssh by these options. Throws when they cannot work; connects when asked for something only. */
export function openSsh(options: SshOptions, { log, now }: Pick<PluginHost, "log" | "now">): Ssh {
  const pool = new Pool(options, now);
  const forwards = new Set<SshForward>();

  /** Does something with a connection, within its limits. */
  async function limited<T>(
    target: SshTarget,
    { deadlineMs, signal: cancel }: { readonly deadlineMs: number; readonly signal?: AbortSignal },
    work: (connection: Connection, signal: AbortSignal) => Promise<T>,
  ): Promise<T> {
    const { account, host, port } = target;
    const late = new AbortController();
    const timer = setTimeout(
      () => late.abort(new SshError("deadline", `${host}:${port} took more than ${deadlineMs} ms`)),
      deadlineMs,
    );
    const signal = cancel ? AbortSignal.any([late.signal, cancel]) : late.signal;
    try {
      signal.throwIfAborted();
      const connection = await orAborted(pool.get(target), signal);
      return await orAborted(work(connection, signal), signal).catch((error: unknown) => {
        // It may be the connection that is dead: the next command gets another one.
        if (late.signal.aborted) connection.retire();
        throw error;
      });
    } catch (error) {
      log.debug({ account, host, port, err: error }, "ssh command could not be run");
      throw error;
    } finally {
      clearTimeout(timer);
    }
  }

  return {
    connect: (target, limits) => limited(target, limits, async () => {}),
    run(target, { argv, stdin = "", ...limits }) {
      const line = shellLine(argv);
      return limited(target, limits, (connection, signal) =>
        connection.command(line, signal, (channel) => talk(channel, stdin, signal)),
      );
    },
    async forward(target, to, listen) {
      const opened = await forward(pool, target, to, listen, log);
      const kept: SshForward = {
        ...opened,
        async close() {
          forwards.delete(kept);
          await opened.close();
        },
      };
      forwards.add(kept);
      return kept;
    },
    async close() {
      await Promise.all([...forwards].map((each) => each.close()));
      pool.close();
    },
  };
}
