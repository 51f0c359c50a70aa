import { execFileSync } from "node:child_process";
import { readFileSync, rmSync } from "node:fs";
import { setTimeout as pause } from "node:timers/promises";
import { kill, processes } from "./ssh-processes.ts";

// Takes down a Slurm: `node slurm-sweep.ts FOLDER ACCOUNT…`. Begins at the end of its standard input, so also when the
// test that made it was killed. Knows daemons and jobs by the folder of their configuration in their environment, and
// everything else by the uids of accounts that were made for it.

const [folder = "", ...accounts] = process.argv.slice(2);
const DAEMONS = new Set(["slurmctld", "slurmd", "slurmstepd", "munged"]);

function uidOf(account: string): number | undefined {
  try {
    return Number(
      execFileSync("id", ["-u", account], { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] }),
    );
  } catch {
    return undefined;
  }
}

/** A daemon of this Slurm, or a process of one of its jobs, whoever runs it. */
function isOurs(pid: number, name: string): boolean {
  try {
    const environment = readFileSync(`/proc/${pid}/environ`, "utf8").split("\0");
    return (
      environment.includes(`SLURM_CONF=${folder}/etc/slurm.conf`) &&
      (DAEMONS.has(name) || environment.some((entry) => entry.startsWith("SLURM_JOB_ID=")))
    );
  } catch {
    return false;
  }
}

process.stdin.resume();
await new Promise((resolve) => process.stdin.once("close", resolve));
// Not cut short by what ended the test.
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, () => {});
const uids = new Set(accounts.map(uidOf));
for (let round = 0; round < 100; round += 1) {
  // Daemons first: they would start the next job.
  const left = processes().filter(({ pid, name, uid }) => isOurs(pid, name) || uids.has(uid));
  if (left.length === 0) break;
  for (const { pid } of left) kill(pid);
  await pause(50);
}
for (const account of accounts) {
  try {
    execFileSync("/usr/sbin/userdel", ["--force", account], { stdio: "ignore" });
  } catch {
    // it was not made
  }
  for (const path of [`/home/${account}`, `/var/mail/${account}`])
    rmSync(path, { recursive: true, force: true, maxRetries: 3 });
}
rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
