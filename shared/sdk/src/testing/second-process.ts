import { spawn } from "node:child_process";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";

/** Observes, locates and starts again in another process, which loads the plugin from its module. */
export async function askElsewhere(question: {
  module: string;
  options: unknown;
  dataDir: string;
  server: unknown;
  request: unknown;
}): Promise<{ observation: { rows: { tag: string; state: string }[] }; located: unknown; again: unknown }> {
  const script = fileURLToPath(new URL("./elsewhere.ts", import.meta.url));
  // Hooks that find packages for files outside the tree come along; flags of the test runner do not.
  const flags = process.execArgv.filter(
    (flag, at, all) => /^--import(=|$)/.test(flag) || all[at - 1] === "--import",
  );
  const child = spawn(process.execPath, [...flags, script], { stdio: ["pipe", "pipe", "inherit"] });
  child.stdin.end(JSON.stringify(question));
  return JSON.parse(await text(child.stdout));
}
