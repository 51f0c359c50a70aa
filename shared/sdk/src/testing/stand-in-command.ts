import { fileURLToPath } from "node:url";

/** Path of the stand-in server. */
export const standInPath = fileURLToPath(new URL("./stand-in.ts", import.meta.url));

/** Command of a tiny server for tests that answers HTTP on JUPYTERHUB_SERVICE_URL; flags are told in stand-in.ts. */
export const standInCommand = (...flags: string[]): string[] => [process.execPath, standInPath, ...flags];
