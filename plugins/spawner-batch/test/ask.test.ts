import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { asking } from "../src/ask.ts";
import { pbs } from "../src/schedulers/pbs.ts";
import type { Scheduler } from "../src/schedulers/scheduler.ts";
import { slurm } from "../src/schedulers/slurm.ts";

const asked = (scheduler: Scheduler, exitCode: number, stdout: string, stderr: string) =>
  asking(scheduler, { run: async () => ({ exitCode, stdout, stderr }) });

describe('"no such job" is an answer', () => {
  const known =
    '{"pbs_version":"22","Jobs":{"20.pbs01":{"Job_Owner":"ada@l","job_state":"F","Exit_status":0}}}';
  const unknown = "qstat: Unknown Job Id 9.pbs01";

  test("of PBS, which prints the jobs it knows all the same", async () => {
    const rows = await asked(pbs, 153, known, unknown)(["qstat"], (text) => pbs.parseFinished(text));
    assert.deepEqual(
      rows.map(({ jobId }) => jobId),
      ["20.pbs01"],
    );
  });

  test("of PBS, which prints nothing when it knows none", async () => {
    const ask = asked(pbs, 153, "", unknown);
    assert.deepEqual(await ask(["qstat"], (text) => pbs.parseFinished(text)), []);
    assert.deepEqual(await ask(["qselect"], (text) => pbs.parseFind(text, "elara-x")), []);
  });

  test("of Slurm, which prints nothing", async () => {
    const ask = asked(slurm, 1, "", "slurm_load_jobs error: Invalid job id specified");
    assert.deepEqual(await ask(["squeue"], (text) => slurm.parseList(text)), []);
  });

  test("that is not understood is none", async () => {
    const parse = (text: string) => pbs.parseList(text);
    await assert.rejects(asked(pbs, 153, "<html>", unknown)(["qstat"], parse), { code: "BATCH_UNREADABLE" });
    await assert.rejects(asked(pbs, 0, "", "")(["qstat"], parse), { code: "BATCH_UNREADABLE" });
  });
});
