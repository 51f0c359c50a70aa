import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { JobRecords, LaunchExit } from "@elara/sdk/launcher";
import { newTag } from "@elara/sdk/testing";
import { asking } from "../src/ask.ts";
import { newHandle } from "../src/handle.ts";
import { sharedListing } from "../src/listing.ts";
import { watching } from "../src/observe.ts";
import { slurm } from "../src/schedulers/slurm.ts";
import type { Result } from "../src/transports/transport.ts";

const said = (stdout: string, stderr = "", exitCode = 0): Result => ({ exitCode, stdout, stderr });
const running = { v: 1, phase: "running", port: 20_001 } as unknown as JobRecords["state"];
const exit: LaunchExit = {
  ...{ v: 1, tag: "t", cause: "exited", exitCode: 3, signal: null, at: "", code: null, message: "" },
};
const forgotten = said("", "slurm_load_jobs error: Invalid job id specified", 1);
const contact = "slurm_load_jobs error: Unable to contact slurm controller (connect failure)";

/** What a look says of ada's job 1, which the listing does not show. */
function look(answers: { squeue?: Result; scontrol?: Result; sacct?: Result }, records: Partial<JobRecords>) {
  const tag = newTag();
  const handle = newHandle(tag, { jobId: "1", owner: "7", account: "ada", submittedAt: 5 });
  const { squeue = said(""), scontrol = forgotten, sacct = said("", "no books", 1) } = answers;
  const ask = asking(slurm, {
    run: async ({ argv }) =>
      argv.includes("squeue") ? squeue : argv.includes("scontrol") ? scontrol : sacct,
  });
  const observe = watching({
    ...{ scheduler: slurm, ask, listing: sharedListing(ask, slurm), nodeAddress: "name", now: Date.now },
    portRange: [20_000, 29_999],
    desk: async () =>
      ({ ok: true, records: { [tag]: { claim: null, state: null, exit: null, ...records } } }) as never,
    cluster: { partitions: async () => [], address: async () => undefined },
    log: { debug() {}, info() {}, warn() {}, error() {} },
  });
  const server = { tag, user: { id: "u", name: "ada" }, server: "", handle, url: "http://n1:20001" };
  return observe([server]).then(({ rows }) => rows[0]?.state ?? "absent");
}

describe("a job that the listing does not show", () => {
  test("is not gone when the command said that nobody answered, whatever its exit code", async () => {
    for (const records of [{ state: running }, {}, { exit }])
      await assert.rejects(look({ squeue: said("", contact) }, records), { code: "BATCH_SCHEDULER_AWAY" });
  });
  test("is gone when the batch system denies it by its id, and only then", async () => {
    for (const records of [{ state: running }, {}]) {
      assert.equal(await look({}, records), "absent");
      for (const scontrol of [said("JobId=1 JobName=x\n"), said(""), said("", contact), said("", contact, 1)])
        assert.equal(await look({ scontrol }, records), "unknown");
    }
  });
  test("has ended when its records or the books say so", async () => {
    const scontrol = said("", contact, 1);
    assert.equal(await look({ scontrol }, { state: running, exit }), "ended");
    assert.equal(await look({ scontrol: said("JobId=1\n") }, { exit }), "unknown", "its owner wrote it");
    const sacct = said("1|7|TIMEOUT|5|0:0\n");
    assert.equal(await look({ scontrol, sacct }, { state: running }), "ended");
  });
  test("is not asked for by its id when that is another job's by now", async () => {
    const squeue = said("1|7|RUNNING|6|6|9|n1|None\n");
    assert.equal(await look({ squeue, scontrol: said("JobId=1\n") }, {}), "absent");
  });
});
