import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import { PluginError, Type } from "@elara/sdk";
import type { Static } from "typebox";
import { Value } from "typebox/value";
import { errors } from "./errors.ts";

const program = fileURLToPath(new URL("./pam-helper.py", import.meta.url));
const MAX_OUTPUT_BYTES = 64 * 1024;

const Answer = Type.Object({
  code: Type.Integer(),
  phase: Type.Union([Type.Literal("start"), Type.Literal("auth"), Type.Literal("account")]),
  delayMs: Type.Optional(Type.Integer({ minimum: 0 })),
  /** PAM asked for more secrets than were given. */
  lacking: Type.Optional(Type.Boolean()),
  user: Type.Optional(Type.String({ minLength: 1 })),
});
/** What PAM said: its return code, in which phase, and who the user is to PAM. */
export type Answer = Static<typeof Answer>;
const Probe = Type.Object({ probe: Type.Literal(true), uid: Type.Integer() });

export type Transaction = {
  readonly service: string;
  readonly user: string;
  readonly secrets: readonly string[];
};

/** One PAM transaction in a process of its own, which is gone when this returns or throws. */
export async function transact(python: string, request: Transaction, signal: AbortSignal): Promise<Answer> {
  const answer = await run(python, request, signal);
  if (!Value.Check(Answer, answer))
    throw new PluginError(errors, "PAM_HELPER_FAILED", { detail: { answer } });
  return answer;
}

/** Loads libpam in the helper and returns the user id it runs as. */
export async function probe(python: string, signal: AbortSignal): Promise<number> {
  const answer = await run(python, { probe: true }, signal);
  if (!Value.Check(Probe, answer)) throw new PluginError(errors, "PAM_HELPER_FAILED", { detail: { answer } });
  return answer.uid;
}

function run(python: string, request: object, signal: AbortSignal): Promise<unknown> {
  return new Promise((resolve, reject) => {
    signal.throwIfAborted();
    // Isolated (-I) and without site packages (-S): nothing but the standard library, 30 ms to start.
    const child = spawn(python, ["-I", "-S", program], {
      env: { PATH: "/usr/sbin:/usr/bin:/sbin:/bin", LANG: "C.UTF-8" },
      stdio: ["pipe", "pipe", "pipe"],
      cwd: "/",
      // A group of its own, so that what PAM modules fork dies with it.
      detached: true,
    });
    let out = "";
    let err = "";
    const kill = () => {
      if (child.pid === undefined) return;
      try {
        process.kill(-child.pid, "SIGKILL");
      } catch {
        // Already gone.
      }
    };
    const onAbort = () => {
      kill();
      reject(signal.reason);
    };
    signal.addEventListener("abort", onAbort, { once: true });
    const fail = (cause: unknown) =>
      reject(
        new PluginError(errors, "PAM_HELPER_FAILED", {
          cause,
          detail: { python, stderr: err.slice(-2000) },
          operator: `${errors.PAM_HELPER_FAILED.operator} (${python}: ${lastLine(err) || reasonOf(cause)})`,
        }),
      );
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      out += text;
      if (out.length > MAX_OUTPUT_BYTES) kill();
    });
    child.stderr.setEncoding("utf8").on("data", (text: string) => {
      err = (err + text).slice(-MAX_OUTPUT_BYTES);
    });
    child.stdin.on("error", () => {
      // The helper ended before it read; its exit is told below.
    });
    child.on("error", (error) => {
      signal.removeEventListener("abort", onAbort);
      fail(error);
    });
    child.on("close", (exitCode, exitSignal) => {
      signal.removeEventListener("abort", onAbort);
      if (exitCode !== 0) return fail(new Error(`exit ${exitCode ?? exitSignal}`));
      try {
        resolve(JSON.parse(out));
      } catch (error) {
        fail(error);
      }
    });
    child.stdin.end(JSON.stringify(request));
  });
}

const lastLine = (text: string): string => text.trimEnd().split("\n").at(-1) ?? "";
const reasonOf = (cause: unknown): string => (cause instanceof Error ? cause.message : String(cause));
