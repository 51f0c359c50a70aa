import { existsSync, realpathSync } from "node:fs";
import { delimiter } from "node:path";
import { fileURLToPath } from "node:url";
import { findProgram } from "./find-program.ts";

const BIN = fileURLToPath(new URL("../bin/elara.js", import.meta.url));
/** In the tree of an installation: the program that brings its Node along. */
const INSTALLED = fileURLToPath(new URL("../../../bin/elara", import.meta.url));

/** A word as a POSIX shell takes it. */
export const shellWord = (word: string): string =>
  /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;

/**
 * How to call this very program from a shell, in any folder: `elara` where PATH leads to it, else node and its file.
 * Never `npx elara`: outside the hub's tree that asks the public registry for a package of this name.
 */
export function elaraCommand(env: NodeJS.ProcessEnv = process.env): string {
  const path = lastingPath(env);
  const leadsTo = (name: string, file: string): boolean => {
    const found = findProgram(name, path);
    return found !== undefined && realpathSync(found) === realpathSync(file);
  };
  const isInstalled = existsSync(INSTALLED);
  if (leadsTo("elara", isInstalled ? INSTALLED : BIN)) return "elara";
  if (isInstalled) return shellWord(INSTALLED);
  const node = leadsTo("node", process.execPath) ? "node" : shellWord(process.execPath);
  return `${node} ${shellWord(BIN)}`;
}

/** PATH without what npm and npx put in front of it for this one command. */
function lastingPath({ PATH = "", npm_execpath: npm }: NodeJS.ProcessEnv): string {
  if (npm === undefined) return PATH;
  const isNpms = (folder: string): boolean => /\/node_modules\/(\.bin|.*node-gyp-bin)\/?$/.test(folder);
  return PATH.split(delimiter)
    .filter((folder) => !isNpms(folder))
    .join(delimiter);
}
