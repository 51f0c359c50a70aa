import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { JobRecords, LaunchExit } from "@elara/sdk/launcher";
import { endOf } from "../src/end.ts";
import type { JobCause, JobRow } from "../src/schedulers/scheduler.ts";

const job = (cause: JobCause, more: Partial<JobRow> = {}): JobRow => ({
  ...{ jobId: "7", owner: "1002", submittedAt: 1, state: "ended", cause },
  ...more,
});
const wrote = (more: Partial<LaunchExit>): JobRecords => ({
  claim: { jobId: "7" },
  state: null,
  exit: {
    ...{ v: 1, tag: "t", cause: "exited", exitCode: null, signal: null, at: "", code: null, message: "" },
    ...more,
  },
});
const nothing: JobRecords = { claim: null, state: null, exit: null };

describe("the end of a server", () => {
  for (const [cause, code] of [
    ["timeLimit", "BATCH_TIME_LIMIT"],
    ["outOfMemory", "BATCH_OUT_OF_MEMORY"],
    ["nodeFailed", "BATCH_NODE_FAILED"],
    ["preempted", "BATCH_PREEMPTED"],
    ["cancelled", "BATCH_CANCELLED"],
  ] as const)
    test(`by ${cause} is told by the scheduler, whatever the server made of it`, () => {
      const stopped = wrote({ cause: "stopped", exitCode: 0 });
      for (const records of [stopped, nothing, undefined]) {
        const row = endOf("t", job(cause), records);
        assert.deepEqual([row?.state, row?.end?.code], ["ended", code]);
      }
    });

  test("by itself has its exit code or signal", () => {
    const { reason, end } = endOf("t", job("failed"), wrote({ exitCode: 7 })) ?? {};
    assert.deepEqual([reason, end], ["ended with exit code 7", { exitCode: 7 }]);
    assert.equal(endOf("t", job("failed"), wrote({ signal: "SIGSEGV" }))?.end?.signal, "SIGSEGV");
  });

  test("before it began has the launcher's code", () => {
    const records = wrote({ cause: "failed", code: "COMMAND_NOT_FOUND", message: "x: no such command" });
    assert.equal(endOf("t", job("failed"), records)?.end?.code, "BATCH_COMMAND_NOT_FOUND");
    const odd = endOf("t", job("failed"), wrote({ cause: "failed", code: "NEW", message: "words" }));
    assert.deepEqual([odd?.reason, odd?.end?.code], ["words", undefined]);
  });

  test("of a job that left no record names the scheduler's reason", () => {
    const row = endOf("t", job("failed", { reason: "JobLaunchFailure" }), nothing);
    assert.equal(row?.end?.code, "BATCH_LAUNCH_FAILED");
    assert.match(row?.reason ?? "", /JobLaunchFailure/);
  });

  test("of a job the scheduler has forgotten is in its records, or nothing is known", () => {
    assert.equal(endOf("t", undefined, wrote({ exitCode: 3 }))?.end?.exitCode, 3);
    assert.equal(endOf("t", undefined, nothing), undefined);
    assert.equal(endOf("t", undefined, undefined), undefined);
  });

  test("of a job that went well, with records that cannot be read, is not concluded", () => {
    assert.equal(endOf("t", job("completed"), undefined)?.state, "unknown");
  });
});
