import type { ClientChannel } from "ssh2";
import { SshError, type SshResult } from "./ssh.ts";

const MOST_BYTES = 4 * 1024 * 1024;

/** Gives a command its stdin and listens until its end. Ends it when the signal says so. */
export function talk(channel: ClientChannel, stdin: string, signal: AbortSignal): Promise<SshResult> {
  return new Promise((resolve, reject) => {
    const output: { stdout: Buffer[]; stderr: Buffer[] } = { stdout: [], stderr: [] };
    let bytes = 0;
    let exitCode: number | undefined;
    const giveUp = (reason: unknown): void => {
      reject(reason);
      signal.removeEventListener("abort", onAbort);
      channel.destroy();
    };
    const onAbort = (): void => giveUp(signal.reason);
    if (signal.aborted) return onAbort();
    signal.addEventListener("abort", onAbort);
    const collect = (into: Buffer[]) => (data: Buffer) => {
      bytes += data.length;
      if (bytes > MOST_BYTES)
        giveUp(new SshError("output", `the command wrote more than ${MOST_BYTES} bytes`));
      else into.push(data);
    };
    channel.on("data", collect(output.stdout));
    channel.stderr.on("data", collect(output.stderr));
    channel.on("exit", (code: number | null) => {
      exitCode = code ?? -1;
    });
    channel.on("error", giveUp);
    channel.on("close", () => {
      signal.removeEventListener("abort", onAbort);
      if (exitCode === undefined)
        return reject(new SshError("unreachable", "the connection was lost while the command ran"));
      const text = (parts: Buffer[]): string => Buffer.concat(parts).toString("utf8");
      resolve({ exitCode, stdout: text(output.stdout), stderr: text(output.stderr) });
    });
    channel.end(stdin);
  });
}
