import { readdirSync, readFileSync } from "node:fs";
import type { ProcessIdentity } from "./records.ts";

let known: string | undefined;

/** Id of this boot of the machine: pids of another boot mean nothing. */
export function bootId(): string {
  known ??= readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim();
  return known;
}

/** Start time of a process in ticks since boot; undefined when there is none. A zombie counts as gone. */
export function startOf(pid: number): number | undefined {
  let stat: string;
  try {
    stat = readFileSync(`/proc/${pid}/stat`, "latin1");
  } catch {
    return undefined;
  }
  // The name in brackets may hold anything, so count from the last one.
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return fields[0] === "Z" || fields[0] === "X" ? undefined : Number(fields[19]);
}

/**
 * Tags that processes of this machine carry in their environment, as far as this account may look: a server lives also
 * when somebody removed its records. Reads all of /proc.
 */
export function livingTags(): Set<string> {
  const tags = readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .flatMap((pid) => {
      try {
        return readFileSync(`/proc/${pid}/environ`, "latin1")
          .split("\0")
          .filter((entry) => entry.startsWith("ELARA_TAG="));
      } catch {
        return []; // it ended, or is another account's
      }
    });
  return new Set(tags.map((entry) => entry.slice("ELARA_TAG=".length)));
}

/** The very process of this identity lives, on this boot of the machine. */
export const isAlive = (who: ProcessIdentity, boot: string): boolean =>
  boot === bootId() && startOf(who.pid) === who.start;
