import { spawn } from "node:child_process";
import { resolve } from "node:path";

/** `elara test FILE…`: node's test runner, with the hub's packages found from anywhere. Exits as it does. */
export async function test(files: string[]): Promise<void> {
  const hook = import.meta.resolve("@elara/runtime/plugins/resolve-hook");
  const child = spawn(process.execPath, ["--import", hook, "--test", ...files.map((file) => resolve(file))], {
    stdio: "inherit",
  });
  process.exitCode = await new Promise<number>((done) => child.once("close", (code) => done(code ?? 1)));
}
