import { spawn } from "node:child_process";
import { OUTPUT_BYTES, type Result, type Transport, TransportFault } from "./transport.ts";

/** Commands on the hub's own machine, all as the hub's own account. */
export function localTransport(environment: Readonly<Record<string, string>>): Transport {
  return {
    run: ({ argv, stdin = "", deadlineMs, signal }) =>
      new Promise<Result>((resolve, reject) => {
        signal?.throwIfAborted();
        const [command = "", ...args] = argv;
        const child = begin(command, args, { PATH: process.env.PATH, LANG: "C.UTF-8", ...environment });
        const output: Record<"stdout" | "stderr", Buffer[]> = { stdout: [], stderr: [] };
        let bytes = 0;
        const end = (fault: unknown): void => {
          reject(fault);
          finish();
          try {
            if (child.pid !== undefined) process.kill(-child.pid, "SIGKILL");
          } catch {
            // It has ended, or belongs to root (sudo): then it ends by its own deadline.
          }
          for (const stream of [child.stdin, child.stdout, child.stderr]) stream.destroy();
        };
        const timer = setTimeout(
          () => end(new TransportFault("deadline", `${command} gave no answer within ${deadlineMs} ms`)),
          deadlineMs,
        );
        const giveUp = (): void => end(signal?.reason);
        signal?.addEventListener("abort", giveUp, { once: true });
        const finish = (): void => {
          clearTimeout(timer);
          signal?.removeEventListener("abort", giveUp);
        };
        for (const name of ["stdout", "stderr"] as const) {
          child[name].on("data", (data: Buffer) => {
            bytes += data.length;
            if (bytes > OUTPUT_BYTES)
              end(new TransportFault("output", `${command} printed more than ${OUTPUT_BYTES} bytes`));
            else output[name].push(data);
          });
        }
        child.once("error", (error) => {
          finish();
          reject(faultOf(command, error));
        });
        child.once("close", (code) => {
          finish();
          const [stdout, stderr] = [output.stdout, output.stderr].map((parts) =>
            Buffer.concat(parts).toString("utf8"),
          );
          resolve({ exitCode: code ?? -1, stdout: stdout ?? "", stderr: stderr ?? "" });
        });
        // A program that does not read breaks the pipe; `close` tells what it said.
        child.stdin.on("error", () => {});
        child.stdin.end(stdin);
      }),
  };
}

/** Why it could not be begun: no such program, or this machine has no room for it. */
function faultOf(command: string, error: unknown): TransportFault {
  const code = error instanceof Error && "code" in error ? String(error.code) : "";
  const trouble = ["ENOENT", "ENOTDIR", "EACCES"].includes(code) ? "missing" : "unreachable";
  const words = error instanceof Error ? error.message : String(error);
  return new TransportFault(trouble, `${command}: ${words}`, { cause: error });
}

function begin(command: string, args: readonly string[], env: NodeJS.ProcessEnv) {
  try {
    // A group of its own, so that it is ended with all that it started.
    return spawn(command, args, { cwd: "/", detached: true, env });
  } catch (error) {
    throw faultOf(command, error);
  }
}
