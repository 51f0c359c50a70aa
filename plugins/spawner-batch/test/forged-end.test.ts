import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { JobRecords, LaunchExit } from "@elara/sdk/launcher";
import { newTag } from "@elara/sdk/testing";
import { asking } from "../src/ask.ts";
import { endOf } from "../src/end.ts";
import { newHandle } from "../src/handle.ts";
import { sharedListing } from "../src/listing.ts";
import { watching } from "../src/observe.ts";
import { slurm } from "../src/schedulers/slurm.ts";

const exit: LaunchExit = {
  ...{ v: 1, tag: "t", cause: "exited", exitCode: 0, signal: null, at: "", code: null, message: "" },
};

/** What a look says of ada's job 1 when the batch system lists these and she wrote these records. */
async function lookAt(listed: readonly string[], forged: Partial<JobRecords>) {
  const tag = newTag();
  const handle = newHandle(tag, { jobId: "1", owner: "7", account: "ada", submittedAt: 5 });
  const ask = asking(slurm, { run: async () => ({ exitCode: 0, stdout: listed.join(""), stderr: "" }) });
  const records = { [tag]: { claim: { jobId: "1" }, state: null, exit: null, ...forged } };
  const observe = watching({
    ...{ scheduler: slurm, ask, listing: sharedListing(ask, slurm), nodeAddress: "name", now: Date.now },
    portRange: [20_000, 29_999],
    desk: async () => ({ ok: true, records }) as never,
    cluster: { partitions: async () => [], address: async () => undefined },
    log: { debug() {}, info() {}, warn() {}, error() {} },
  });
  const server = { tag, user: { id: "u", name: "ada" }, server: "", handle, url: "" };
  return (await observe([server], new AbortController().signal)).rows[0]?.state;
}

describe("what the owner of a server writes", () => {
  const running = "1|7|RUNNING|5|5|9|n1|None\n";
  const another = "2|7|COMPLETED|5|5|9|n1|None\n";

  test("an end, or the claim of a job that is over, does not end a job that runs", async () => {
    assert.equal(await lookAt([running], { exit }), "stopping");
    assert.equal(await lookAt([running, another], { claim: { jobId: "2" } }), "starting");
    assert.equal(await lookAt([running, another], { claim: { jobId: "2" }, exit }), "stopping");
  });

  test("texts of any length reach a row in one line of 500 characters", () => {
    const told = (change: Partial<LaunchExit>) =>
      endOf("t", undefined, { claim: null, state: null, exit: { ...exit, exitCode: null, ...change } });
    assert.equal(told({ message: `a\u0000\nb${"x".repeat(4000)}` })?.reason?.slice(0, 4), "a bx");
    assert.ok((told({ message: "x".repeat(4000) })?.reason?.length ?? 0) <= 500);
    const odd = told({ cause: "failed", code: "NEW", message: "x".repeat(4000) });
    assert.ok((odd?.reason?.length ?? 0) <= 500);
    const signalled = told({ signal: "S".repeat(4000) });
    assert.ok((signalled?.reason?.length ?? 0) <= 550 && signalled?.end?.signal?.length === 500);
  });
});
