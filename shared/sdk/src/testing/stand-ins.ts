import { readdirSync, readFileSync } from "node:fs";
import { standInPath } from "./stand-in-command.ts";

const MARK = "ELARA_TEST_MARK";

/** Environment entry by which a test knows the stand-ins it started. */
export const markEnv = (mark: string): Record<string, string> => ({ [MARK]: mark });

/** Pids of stand-ins on this machine that carry the mark. */
export function standIns(mark: string): number[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .filter((pid) => {
      try {
        return (
          // Itself, not an init program or shell that has it as an argument.
          readFileSync(`/proc/${pid}/cmdline`, "utf8").split("\0")[1] === standInPath &&
          readFileSync(`/proc/${pid}/environ`, "utf8").split("\0").includes(`${MARK}=${mark}`)
        );
      } catch {
        return false;
      }
    })
    .map(Number);
}

/** Ends what a failed test left over. Only stand-ins of this mark. */
export function endStandIns(mark: string): void {
  for (const pid of standIns(mark)) {
    try {
      process.kill(pid, "SIGKILL");
    } catch {
      // it ended meanwhile
    }
  }
}
