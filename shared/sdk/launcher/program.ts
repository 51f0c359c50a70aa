import { readFile } from "node:fs/promises";

/** Parts of the launcher, each importing only from those before it. */
const PARTS = ["processes.py", "ports.py", "server.py", "launch.py"];

/** The whole launcher as the text of one file, for backends that send it to another machine or put it into a job. */
export async function launcherProgram(): Promise<string> {
  const parts = PARTS.map((part) => readFile(new URL(part, import.meta.url), "utf8"));
  const imports = /^(from (processes|ports|server) import .*|sys\.path\.insert\(.*)\n/gm;
  return (await Promise.all(parts)).join("\n\n").replaceAll(imports, "");
}
