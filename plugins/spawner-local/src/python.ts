import { execFile } from "node:child_process";
import { accessSync, constants } from "node:fs";
import { delimiter, isAbsolute, join } from "node:path";
import { promisify } from "node:util";
import { localError } from "./errors.ts";

const run = promisify(execFile);

/** The file a command name means; undefined when there is none that can be executed. */
export function findCommand(name: string, path: string): string | undefined {
  const places = name.includes("/") ? [""] : path.split(delimiter).filter((folder) => isAbsolute(folder));
  for (const folder of places) {
    const file = folder === "" ? name : join(folder, name);
    try {
      accessSync(file, constants.X_OK);
      return file;
    } catch {
      // not in this one
    }
  }
  return undefined;
}

/** The Python that runs the launcher; throws LOCAL_PYTHON_MISSING. */
export function findPython(option: string): string {
  const found = (option === "" ? ["/usr/bin/python3", "python3"] : [option])
    .map((name) => findCommand(name, process.env.PATH ?? ""))
    .find((file) => file !== undefined);
  if (found === undefined) throw localError("LOCAL_PYTHON_MISSING", { python: option || "python3" });
  return found;
}

/** Throws LOCAL_PYTHON_MISSING unless it is Python 3.9 or newer. */
export async function checkPython(python: string): Promise<void> {
  try {
    await run(python, ["-I", "-S", "-c", "import sys, fcntl; sys.exit(sys.version_info < (3, 9))"], {
      env: {},
    });
  } catch (error) {
    throw localError("LOCAL_PYTHON_MISSING", { python }, error);
  }
}
