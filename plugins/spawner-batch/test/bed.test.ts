import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { test } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import { slurmMissing } from "@elara/beds/slurm";

/** Processes, accounts and files that carry a bed's folder or the name of one of its accounts. */
function traces(folder: string, accounts: readonly string[]): string[] {
  const processes = readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .flatMap((pid) => {
      try {
        return ["cmdline", "environ"].map((kind) => readFileSync(`/proc/${pid}/${kind}`, "utf8"));
      } catch {
        return [];
      }
    });
  const known = readFileSync("/etc/passwd", "utf8").split("\n");
  const words = [folder, ...accounts];
  return [
    ...[...processes, ...known].filter((line) => words.some((word) => line.includes(word))),
    ...[folder, ...accounts.map((account) => `/home/${account}`)].filter((path) => existsSync(path)),
  ];
}

test("a Slurm leaves nothing behind when the test that made it is killed while a job runs", {
  skip: slurmMissing(),
}, async () => {
  const script = `
    import { startSlurm } from "@elara/beds/slurm";
    const bed = await startSlurm();
    const [account] = bed.accounts;
    const job = "#!/bin/sh\\nsetsid sleep 600 &\\nsleep 600\\n";
    const id = (await bed.run(["sbatch", "--parsable", "--output=/dev/null", "--chdir=/"], { account, input: job })).trim();
    const state = () => bed.run(["squeue", "-h", "-j", id, "-o", "%T"]);
    for (let look = 0; look < 300 && !(await state()).includes("RUNNING"); look += 1) await new Promise((done) => setTimeout(done, 100));
    if (!(await state()).includes("RUNNING")) throw new Error("the job does not run");
    process.stdout.write(JSON.stringify([bed.dir, ...bed.accounts]));
    setInterval(() => {}, 60_000);`;
  const child = spawn(process.execPath, ["--input-type=module", "--eval", script], {
    cwd: import.meta.dirname,
    stdio: ["ignore", "pipe", "inherit"],
  });
  const [told] = await child.stdout.setEncoding("utf8").take(1).toArray();
  const [folder = "", ...accounts]: string[] = JSON.parse(told);
  assert.ok(traces(folder, accounts).length > 6);
  child.kill("SIGKILL");
  const end = performance.now() + 30_000;
  while (traces(folder, accounts).length > 0 && performance.now() < end) await pause(100);
  assert.deepEqual(traces(folder, accounts), []);
});
