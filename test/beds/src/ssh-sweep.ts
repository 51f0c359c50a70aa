import { execFileSync } from "node:child_process";
import { readFileSync, rmSync } from "node:fs";
import { setTimeout as pause } from "node:timers/promises";
import { kill, processes, sessions } from "./ssh-processes.ts";

// Takes down an ssh bed: `node ssh-sweep.ts FOLDER ACCOUNT…`. Begins at the end of its standard input, so also when the
// test that made the bed was killed. Knows its sshd by the bed's folder on their command lines, and everything else by
// the uids of accounts that were made for this bed.

const [folder = "", ...accounts] = process.argv.slice(2);

function listeners(): number[] {
  return processes()
    .filter(({ name, pid }) => {
      try {
        return name === "sshd" && readFileSync(`/proc/${pid}/cmdline`, "utf8").includes(`${folder}/`);
      } catch {
        return false;
      }
    })
    .map(({ pid }) => pid);
}

function uidOf(account: string): number | undefined {
  try {
    return Number(
      execFileSync("id", ["-u", account], { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] }),
    );
  } catch {
    return undefined;
  }
}

async function end(find: () => number[]): Promise<void> {
  for (let round = 0; round < 100; round += 1) {
    const pids = find();
    if (pids.length === 0) return;
    pids.forEach(kill);
    await pause(20);
  }
}

process.stdin.resume();
await new Promise((resolve) => process.stdin.once("close", resolve));
// Not cut short by what ended the test.
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, () => {});
await end(() => listeners().flatMap((pid) => [pid, ...sessions(pid)]));
for (const account of accounts) {
  const uid = uidOf(account);
  if (uid === undefined) continue;
  await end(() =>
    processes()
      .filter((each) => each.uid === uid)
      .map(({ pid }) => pid),
  );
  execFileSync("/usr/sbin/userdel", ["--force", account], { stdio: "ignore" });
  for (const path of [`/home/${account}`, `/home/${account}-away`, `/var/mail/${account}`])
    rmSync(path, { recursive: true, force: true, maxRetries: 3 });
}
rmSync(folder, { recursive: true, force: true, maxRetries: 3 });
