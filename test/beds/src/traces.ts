import { existsSync, readFileSync } from "node:fs";
import { processes, wordsOf } from "./processes.ts";

/** Processes, accounts and files that carry a bed's folder or the name of one of its accounts. */
export function traces(folder: string, accounts: readonly string[]): string[] {
  const running = processes().flatMap(({ pid }) =>
    (["cmdline", "environ"] as const).map((kind) => wordsOf(pid, kind).join(" ")),
  );
  const known = readFileSync("/etc/passwd", "utf8").split("\n");
  const words = [folder, ...accounts];
  return [
    ...[...running, ...known].filter((line) => words.some((word) => line.includes(word))),
    ...[folder, ...accounts.map((account) => `/home/${account}`)].filter((path) => existsSync(path)),
  ];
}
