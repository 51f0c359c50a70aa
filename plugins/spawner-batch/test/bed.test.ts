import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import { ownerOf } from "@elara/beds/owner";
import { slurmMissing } from "@elara/beds/slurm";
import { traces } from "@elara/beds/traces";

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
    process.stdout.write(JSON.stringify([bed.dir, ...bed.accounts]));`;
  const { told, kill } = await ownerOf(script, import.meta.dirname);
  const [folder = "", ...accounts] = told;
  assert.ok(traces(folder, accounts).length > 6);
  kill();
  const end = performance.now() + 30_000;
  while (traces(folder, accounts).length > 0 && performance.now() < end) await pause(100);
  assert.deepEqual(traces(folder, accounts), []);
});
