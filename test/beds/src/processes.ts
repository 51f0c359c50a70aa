import { readdirSync, readFileSync, statSync } from "node:fs";

/** A process of this machine, as far as a bed has to tell it from others. */
export interface Process {
  readonly pid: number;
  readonly parent: number;
  readonly name: string;
  readonly uid: number;
}

/** Everybody. */
export function processes(): Process[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .flatMap((pid) => {
      try {
        const stat = readFileSync(`/proc/${pid}/stat`, "latin1");
        const name = stat.slice(stat.indexOf("(") + 1, stat.lastIndexOf(")"));
        const parent = Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[1]);
        return [{ pid: Number(pid), parent, name, uid: statSync(`/proc/${pid}`).uid }];
      } catch {
        return []; // it ended
      }
    });
}

/** The words a process was begun with, or its environment; none once it ended. */
export function wordsOf(pid: number, kind: "cmdline" | "environ"): string[] {
  try {
    return readFileSync(`/proc/${pid}/${kind}`, "utf8").split("\0");
  } catch {
    return [];
  }
}

/** The sshd processes below a listener: one or two for each session. */
export function sessions(listener: number, table = processes()): number[] {
  const below = table.filter(({ parent, name }) => parent === listener && name === "sshd");
  return below.flatMap(({ pid }) => [pid, ...sessions(pid, table)]);
}

/** Sends a signal to one that may have ended meanwhile. */
export function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch {
    // it ended
  }
}

/** Ends one at once. */
export const kill = (pid: number): void => signal(pid, "SIGKILL");
