import { accessSync, constants, statSync } from "node:fs";
import { delimiter, isAbsolute, join } from "node:path";

const isExecutable = (file: string): boolean => {
  try {
    accessSync(file, constants.X_OK);
    return statSync(file).isFile();
  } catch {
    return false;
  }
};

/** Every executable file of this name, in the order of PATH. */
export function findPrograms(name: string, path = process.env.PATH ?? ""): string[] {
  if (isAbsolute(name)) return isExecutable(name) ? [name] : [];
  return path
    .split(delimiter)
    .filter(Boolean)
    .map((folder) => join(folder, name))
    .filter(isExecutable);
}

export const findProgram = (name: string, path?: string): string | undefined => findPrograms(name, path)[0];
