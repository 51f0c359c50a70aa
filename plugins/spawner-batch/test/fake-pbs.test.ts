import assert from "node:assert/strict";
import { mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { checkCall, SpawnerBench } from "@elara/sdk/testing";
import plugin from "../src/index.ts";
import { linesOf } from "./fixtures/stand.ts";

const job = '{"pbs_version":"22","Jobs":{"1.pbs01":{"Job_Owner":"ada@l","job_state":"Q"}}}';

/** A spawner over a stand-in of PBS's commands, which has one job at most and runs none: those only end. */
async function bench(
  t: TestContext,
  options: Record<string, unknown> = {},
  more: Record<string, string> = {},
) {
  const dir = await mkdtemp(join(tmpdir(), "elara-pbs-"));
  t.after(() => rm(dir, { recursive: true, force: true }));
  const failed = '{"v":1,"tag":"t","cause":"failed","exitCode":null,"signal":null,"at":"","code":null';
  const commands = {
    qsub: `echo "$2 ada" > ${dir}/job; echo '${failed},"message":"odd"}' > exit.json; echo 1.pbs01`,
    // Its job is found by its own name and account only.
    qselect: `while [ $# -gt 1 ]; do [ $1 = -N ] && name=$2; [ $1 = -u ] && user=$2; shift; done
      grep -qsx "$name $user" ${dir}/job && echo 1.pbs01; true`,
    qstat: `case "$*" in *-Q*) echo '{"pbs_version":"22","Queue":{"q":{"enabled":"True","started":"True"}}}';;
      *) echo '${job}';; esac`,
    qdel: `echo "$*" >> ${dir}/deleted; rm ${dir}/job`,
    pbsnodes: `echo '{"pbs_version":"22","nodes":{"n1":{"Mom":"n1"}}}'`,
    ...more,
  };
  for (const [name, text] of Object.entries(commands))
    await writeFile(join(dir, name), `#!/bin/sh\n${text}\n`, { mode: 0o755 });
  const runDir = join(dir, "run");
  const environment = { PATH: `${dir}:/usr/bin:/bin` };
  const given = { scheduler: "pbs", transport: "local", user: "ada", checkJob: true, runDir, environment };
  const made = new SpawnerBench(t, plugin, { options: { ...given, ...options } });
  const deleted = () => linesOf(join(dir, "deleted"));
  return { bench: made, spawner: await made.spawner(), deleted, kept: () => readdir(runDir) };
}

test("a check whose job comes to nothing takes the job out of the queue, and then its folder", async (t) => {
  const { spawner, deleted, kept } = await bench(t);
  await assert.rejects(async () => spawner.check?.(...checkCall()), { code: "BATCH_LAUNCH_FAILED" });
  assert.deepEqual(await deleted(), ["1.pbs01"]);
  assert.deepEqual(await kept(), []);
});

test("a check that cannot take its job back says so, and keeps the folder of the job", async (t) => {
  const qdel = "echo 'Connection refused' >&2; exit 111";
  const { bench: made, spawner, kept } = await bench(t, {}, { qdel });
  await assert.rejects(async () => spawner.check?.(...checkCall()), { code: "BATCH_LAUNCH_FAILED" });
  assert.deepEqual(
    made.host.lines.map(({ level, message }) => [level, message]),
    [["warn", "a start left something behind"]],
  );
  assert.equal((await kept()).length, 1);
});

test("a choice that PBS has nothing for is refused at its field, before and at a start", async (t) => {
  for (const [field, value] of Object.entries({ qos: "high", gpuType: "a100", constraint: "a&b" })) {
    const { bench: made, spawner } = await bench(t, { [field]: value });
    const wrong = { code: "BATCH_OPTIONS_INVALID", field };
    await assert.rejects(async () => spawner.checkOptions?.(made.options(), made.call()), wrong);
    await assert.rejects(spawner.start(made.request(), made.call()), wrong);
  }
});
