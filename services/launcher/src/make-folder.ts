import { mkdirSync, statSync } from "node:fs";
import { dirname } from "node:path";
import { codeOf, HubError } from "@elara/contracts";

/**
 * Makes a folder and those above it; true when it was not there. Throws what the operating system says. `recursive` of
 * mkdirSync never comes back where a file system (/proc) says that a folder is not there which is.
 */
export function makeFolder(path: string, mode = 0o777): boolean {
  try {
    mkdirSync(path, { mode });
    return true;
  } catch (error) {
    if (statSync(path, { throwIfNoEntry: false })?.isDirectory()) return false;
    const above = dirname(path);
    // Nothing was made above it: it is missing for another reason.
    if (codeOf(error) !== "ENOENT" || above === path || !makeFolder(above, mode)) throw error;
    mkdirSync(path, { mode });
    return true;
  }
}

/** The same for the folder of an option. Throws FIELD_INVALID. */
export function makeFolderOf(option: string, path: string): void {
  try {
    makeFolder(path);
  } catch (cause) {
    throw new HubError("FIELD_INVALID", {
      operator: `${option}: ${path} cannot be made (${codeOf(cause)}). Give a folder that this account may write.`,
      cause,
    });
  }
}
