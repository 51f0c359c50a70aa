import { readFile } from "node:fs/promises";
import type { LogOrder, LookOrder } from "./look.ts";
import type { LaunchOrder } from "./run.ts";

const IMPORTS = /^(from (processes|records|ports|server|look|job) import .*|sys\.path\.insert\(.*)\n/gm;

/** Parts of one program as the text of one file; each imports only from those before it. */
export async function joinParts(parts: readonly string[]): Promise<string> {
  const texts = parts.map((part) => readFile(new URL(part, import.meta.url), "utf8"));
  return (await Promise.all(texts)).join("\n\n").replaceAll(IMPORTS, "");
}

/** The whole launcher as the text of one file, for backends that send it to another machine or put it into a job. */
export const launcherProgram = (): Promise<string> =>
  joinParts(["processes.py", "records.py", "ports.py", "server.py", "look.py", "launch.py"]);

/** What a Python that is too old says on stderr. */
export const PYTHON_TOO_OLD = "Python 3.9 or newer is needed";

/**
 * Takes the program from the first line of stdin, which it keeps as PROGRAM; its order follows there. No quotes or signs
 * that any shell treats in its own way.
 */
const BOOTSTRAP = [
  "import sys,json",
  "PROGRAM=json.loads(sys.stdin.readline())",
  `sys.exit("${PYTHON_TOO_OLD}") if sys.version_info<(3,9) else exec(compile(PROGRAM,"launch.py","exec"))`,
].join(";");

/** JSON that reads the same in every locale. */
const ascii = (value: unknown): string =>
  JSON.stringify(value).replace(
    /[\u007f-\uffff]/g,
    (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );

/**
 * Carries out orders to a program elsewhere by argv and stdin, with nothing installed there but Python. The argv is constant
 * but for the Python: a sudo rule can name it.
 */
export function sentProgram<Order>(read: () => Promise<string>) {
  let program: Promise<string> | undefined;
  return async (python: string, order: Order): Promise<{ argv: string[]; stdin: string }> => {
    program ??= read().then(ascii);
    return { argv: [python, "-I", "-S", "-c", BOOTSTRAP], stdin: `${await program}\n${ascii(order)}` };
  };
}

/** Argv and stdin by which another machine carries out an order. */
export const remoteLauncher = sentProgram<LaunchOrder | LookOrder | LogOrder>(launcherProgram);
