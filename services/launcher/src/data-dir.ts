import { accessSync, chmodSync, constants } from "node:fs";
import { codeOf, HubError } from "@elara/contracts";
import { makeFolder } from "./make-folder.ts";

/**
 * Makes the data directory, and sees that it can be written. Others may pass through it, not list it: servers that run
 * as other accounts use the Python environment in it. Everything private in it is closed by its own mode (keys and
 * database 0600, folders 0700). Throws DATA_DIR_UNUSABLE.
 */
export function makeDataDir(dataDir: string): void {
  try {
    // The mode of mkdir is what the mask of this process leaves of it.
    if (makeFolder(dataDir, 0o711)) chmodSync(dataDir, 0o711);
    accessSync(dataDir, constants.W_OK | constants.X_OK);
  } catch (cause) {
    throw new HubError("DATA_DIR_UNUSABLE", {
      operator: `The data directory ${dataDir} cannot be used (${codeOf(cause)}). Give one that this account may write: --data DIR, or hub.dataDir.`,
      cause,
    });
  }
}
