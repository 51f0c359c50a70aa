import assert from "node:assert/strict";
import { access } from "node:fs/promises";
import { describe, test } from "node:test";
import { keyOf } from "./fixtures/key.ts";
import { jobName, openStand, skip, until } from "./fixtures/stand.ts";

const stand = await openStand();

describe("a server that waits in the queue", { skip }, () => {
  test("says why and what to do; is found without its handle; cancelled, it is gone with its secrets", async (t) => {
    const bench = stand.bench(t, { partition: "closed" });
    const spawner = await bench.spawner();
    const request = bench.request();
    const server = await bench.start(spawner, request);
    const row = await bench.row(spawner, [server], request.tag);
    assert.equal(row?.state, "queued");
    assert.match(row?.reason ?? "", /^The partition is closed at the moment \(PartitionDown\)/);

    const other = await bench.spawner(bench.host.another());
    assert.deepEqual(await other.locate(keyOf(request), bench.call()), server.handle);
    const again = await bench.start(other, bench.repeated(request));
    assert.deepEqual(again.handle, server.handle, "asked again, it is the same job");
    const names = await stand.bed.run(["squeue", "-h", "-o", "%j"]);
    assert.equal(names, `${jobName(request.tag)}\n`, "one job of its name");

    await access(`${stand.folder(request.tag)}/order.json`);
    await other.stop(server, { graceSeconds: 5, ...bench.call() });
    assert.equal(await stand.recordOf(server.handle.jobId, "JobState"), "CANCELLED");
    await assert.rejects(access(`${stand.folder(request.tag)}/order.json`), { code: "ENOENT" });
    const gone = await bench.row(other, [server], request.tag);
    assert.deepEqual([gone?.state, gone?.end?.code], ["ended", "BATCH_CANCELLED"]);
    assert.equal(await other.locate(keyOf(request), bench.call()), undefined);
    await other.stop(server, { graceSeconds: 5, ...bench.call() });
    await other.cleanup?.(server, bench.call());
    await assert.rejects(access(stand.folder(request.tag)), { code: "ENOENT" });
  });

  test("whose handle was lost is cancelled by its clean-up", async (t) => {
    const bench = stand.bench(t, { partition: "closed" });
    const server = await bench.start(await bench.spawner(), bench.request());
    const other = await bench.spawner(bench.host.another());
    for (const _ of ["once", "again"]) await other.cleanup?.(keyOf(server), bench.call());
    assert.equal(await stand.recordOf(server.handle.jobId, "JobState"), "CANCELLED");
    await assert.rejects(access(stand.folder(server.tag)), { code: "ENOENT" });
  });

  test("is held when somebody holds it, and goes on when released", async (t) => {
    const bench = stand.bench(t, { partition: "closed" });
    const spawner = await bench.spawner();
    const server = await bench.start(spawner, bench.request());
    const job = server.handle.jobId;
    await stand.bed.run(["scontrol", "hold", job]);
    const held = await bench.row(spawner, [server], server.tag);
    assert.equal(held?.state, "held");
    assert.match(held?.reason ?? "", /hold it back/);
    await stand.bed.run(["scontrol", "update", `jobid=${job}`, "partition=main"]);
    await stand.bed.run(["scontrol", "release", job]);
    await bench.facts(await bench.untilRunning(spawner, server));
    await spawner.stop(server, { graceSeconds: 1, ...bench.call() });
    await bench.untilEnded(spawner, server, "a stopped server ends");
  });

  test("that can never start because of its time is told so, should it get there past the check", async (t) => {
    const bench = stand.bench(t, { partition: "closed", walltimeMinutes: 8 });
    const spawner = await bench.spawner();
    const server = await bench.start(spawner, bench.request());
    await stand.bed.run(["scontrol", "update", `jobid=${server.handle.jobId}`, "partition=short"]);
    const row = await until("the reason", async () => {
      const seen = await bench.row(spawner, [server], server.tag);
      return seen?.reason?.includes("PartitionTimeLimit") && seen;
    });
    assert.match(row.reason ?? "", /will never start: cancel it and ask for less time/);
  });

  test("above what the partition allows is refused before it is handed in, at its field", async (t) => {
    for (const [field, value] of [
      ["walltimeMinutes", 2],
      ["cpus", 5],
      ["memoryMiB", 2001],
    ] as const) {
      const bench = stand.bench(t, { partition: "short", [field]: value });
      const spawner = await bench.spawner();
      await assert.rejects(async () => spawner.checkOptions?.(bench.options(), bench.call()), {
        ...{ code: "BATCH_OPTIONS_INVALID", field },
      });
    }
  });
});

describe("what Slurm refuses", { skip }, () => {
  test("is told in its own words at its field, and leaves nothing", async (t) => {
    const cases = [
      [{ extraArguments: ["--mem-per-cpu=9T"] }, "memoryMiB", /Memory specification .*; Requested node/],
      [{ reservation: "nope" }, "reservation", /reservation/i],
      [{ constraint: "gpu-of-gold" }, "constraint", /feature/i],
      [{ gpus: 3 }, "gpus", /gres/i],
    ] as const;
    for (const [options, field, words] of cases) {
      const bench = stand.bench(t, options);
      const request = bench.request();
      await assert.rejects(
        bench.start(await bench.spawner(), request),
        (error: Error & { code: string; field: string }) => {
          assert.deepEqual([error.code, error.field], ["BATCH_REFUSED", field], error.message);
          assert.match(error.message, words);
          return true;
        },
      );
      await assert.rejects(access(stand.folder(request.tag)), { code: "ENOENT" });
    }
  });

  test("accounts that are missing or not for people are refused", async (t) => {
    for (const [user, code] of [
      ["elara-nobody-here", "BATCH_ACCOUNT_MISSING"],
      ["daemon", "BATCH_ACCOUNT_REFUSED"],
      ["root", "BATCH_ACCOUNT_REFUSED"],
    ] as const) {
      const bench = stand.bench(t, { user });
      await assert.rejects(bench.start(await bench.spawner(), bench.request()), { code }, user);
    }
  });
});
