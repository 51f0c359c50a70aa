import { readFile } from "node:fs/promises";
import type { LogOrder, LookOrder } from "./look.ts";
import type { LaunchOrder } from "./run.ts";

/** Parts of the launcher, each importing only from those before it. */
const PARTS = ["processes.py", "ports.py", "server.py", "look.py", "launch.py"];

/** The whole launcher as the text of one file, for backends that send it to another machine or put it into a job. */
export async function launcherProgram(): Promise<string> {
  const parts = PARTS.map((part) => readFile(new URL(part, import.meta.url), "utf8"));
  const imports = /^(from (processes|ports|server|look) import .*|sys\.path\.insert\(.*)\n/gm;
  return (await Promise.all(parts)).join("\n\n").replaceAll(imports, "");
}

/** What a Python that is too old says on stderr. */
export const PYTHON_TOO_OLD = "Python 3.9 or newer is needed";

/** Takes the program from the first line of stdin; its order follows there. No quotes or signs that any shell treats in its own way. */
const BOOTSTRAP = [
  "import sys,json",
  `sys.exit("${PYTHON_TOO_OLD}") if sys.version_info<(3,9) else exec(compile(json.loads(sys.stdin.readline()),"launch.py","exec"))`,
].join(";");

/** JSON that reads the same in every locale. */
const ascii = (value: unknown): string =>
  JSON.stringify(value).replace(
    /[\u007f-\uffff]/g,
    (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );

let program: Promise<string> | undefined;

/** Argv and stdin by which another machine carries out an order, with nothing installed there but Python. The argv is always the same. */
export async function remoteLauncher(
  python: string,
  order: LaunchOrder | LookOrder | LogOrder,
): Promise<{ argv: string[]; stdin: string }> {
  program ??= launcherProgram().then(ascii);
  return { argv: [python, "-I", "-S", "-c", BOOTSTRAP], stdin: `${await program}\n${ascii(order)}` };
}
