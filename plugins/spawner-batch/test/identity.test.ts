import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { describe, test } from "node:test";
import { newTag } from "@elara/sdk/testing";
import { newHandle } from "../src/handle.ts";
import { keyOf } from "./fixtures/key.ts";
import { jobName, openStand, skip, until } from "./fixtures/stand.ts";

const stand = await openStand();

describe("a job id is an address only", { skip }, () => {
  test("a stranger's job with our name is neither found, shown nor stopped", async (t) => {
    const bench = stand.bench(t);
    const spawner = await bench.spawner();
    const request = bench.request();
    const theirs = await stand.submit(stand.stranger, [`--job-name=${jobName(request.tag)}`]);
    assert.equal(await spawner.locate(keyOf(request), bench.call()), undefined);

    const server = await bench.start(spawner, request);
    assert.notEqual(server.handle.jobId, theirs);
    await bench.facts(await bench.untilRunning(spawner, server));
    // Their id in a handle of ours: the owner is another.
    const { owner, account } = server.handle;
    const astray = {
      ...server,
      handle: newHandle(request.tag, { jobId: theirs, owner, account, submittedAt: 0 }),
    };
    const row = await bench.row(spawner, [astray], request.tag);
    assert.notEqual(row?.state, "queued");

    await spawner.stop(server, { graceSeconds: 1, ...bench.call() });
    await bench.untilEnded(spawner, server, "a stopped server ends");
    assert.match(await stand.recordOf(theirs, "JobState"), /RUNNING|PENDING/);
    await stand.bed.run(["scancel", theirs]);
  });

  test("names that hold rows of their own get none into a listing", async (t) => {
    const bench = stand.bench(t);
    const spawner = await bench.spawner();
    const server = await bench.start(spawner, bench.request());
    const url = await bench.untilRunning(spawner, server);
    const { jobId, owner, submittedAt } = server.handle;
    const forged = `${jobName(server.tag)}\n${jobId}|${owner}|COMPLETED|${submittedAt}|1|2|n3|None\nx`;
    const theirs = [
      await stand.submit(stand.stranger, [`--job-name=${forged}`, `--comment=${forged}`]),
      // The same by the very account: not even its owner can.
      await stand.submit(stand.account, [`--job-name=${forged}`, `--comment=${forged}`, `--wckey=${forged}`]),
    ];
    const { rows } = await spawner.observe([server], bench.call());
    assert.deepEqual(
      rows.map(({ tag, state, url: at }) => ({ tag, state, at })),
      [{ tag: server.tag, state: "running", at: url }],
    );
    assert.deepEqual(await spawner.locate(keyOf(server), bench.call()), server.handle);
    await stand.bed.run(["scancel", ...theirs]);
  });

  test("of two jobs handed in for one server one is it, and both handles lead there", async (t) => {
    const bench = stand.bench(t);
    const spawner = await bench.spawner();
    const server = await bench.start(spawner, bench.request());
    const url = await bench.untilRunning(spawner, server);
    const { id } = await bench.facts(url);
    // What a crash between two submits would leave: the same script once more, without the fence.
    const script = '#!/bin/sh\ncd "$SLURM_SUBMIT_DIR"\nexec python3 -I -S ./launch.py < ./launch.json\n';
    const second = await stand.submit(
      stand.account,
      [`--job-name=${jobName(server.tag)}`, `--chdir=${stand.folder(server.tag)}`],
      script.replace('cd "$SLURM_SUBMIT_DIR"', `cd ${stand.folder(server.tag)}`),
    );
    await until(
      "the second to see that it is not the one",
      async () => (await stand.recordOf(second, "JobState")) === "COMPLETED",
    );
    const { owner, account } = server.handle;
    const other = {
      ...server,
      handle: newHandle(server.tag, { jobId: second, owner, account, submittedAt: 0 }),
    };
    const row = await bench.row(await bench.spawner(bench.host.another()), [other], server.tag);
    assert.deepEqual([row?.state, row?.url], ["running", url]);
    assert.equal((await bench.facts(url)).id, id);
    assert.equal(bench.processes().length, 1);
    await spawner.stop(other, { graceSeconds: 1, ...bench.call() });
    await bench.untilEnded(spawner, other, "stopped by either handle it ends");
    await bench.untilNoProcess("stopped by either handle it ends");
  });

  test("a job that its owner gave another name is kept, and stopped by its id", async (t) => {
    const bench = stand.bench(t);
    const spawner = await bench.spawner();
    const server = await bench.start(spawner, bench.request());
    await bench.untilRunning(spawner, server);
    const { jobId } = server.handle;
    await stand.bed.run(["scontrol", "update", `jobid=${jobId}`, "jobname=foo"], { account: stand.account });
    const done = spawner.cleanup?.(server, bench.call()) ?? assert.fail();
    await assert.rejects(done, { code: "BATCH_STILL_RUNNING" });
    await spawner.stop(server, { graceSeconds: 1, ...bench.call() });
    await bench.untilEnded(spawner, server, "stopped by its id it ends");
    assert.match(await stand.recordOf(jobId, "JobState"), /COMPLET|CANCELLED/);
    await spawner.cleanup?.(server, bench.call());
  });

  test("an end that its owner wrote, and a listing that is empty once, leave no job without its server", async (t) => {
    const bench = stand.bench(t);
    const server = await bench.start(await bench.spawner(), bench.request());
    await bench.untilRunning(await bench.spawner(), server);
    const exit = { v: 1, tag: server.tag, cause: "exited", exitCode: 0, signal: null, at: "", code: null };
    await writeFile(`${stand.folder(server.tag)}/exit.json`, JSON.stringify({ ...exit, message: "" }));
    const { PATH } = await stand.shim(t, "squeue", "#!/bin/sh\n");
    const blind = await stand.bench(t, { environment: { ...stand.bed.env, PATH } }).spawner();
    const row = await bench.row(blind, [server], server.tag);
    assert.equal(row?.state, "unknown");
    const spawner = await bench.spawner();
    const done = spawner.cleanup?.(server, bench.call()) ?? assert.fail();
    await assert.rejects(done, { code: "BATCH_STILL_RUNNING" });
    await assert.rejects(blind.cleanup?.(server, bench.call()) ?? assert.fail(), {
      code: "BATCH_STILL_RUNNING",
    });
    await spawner.stop(server, { graceSeconds: 1, ...bench.call() });
    await bench.untilNoProcess("stopped it ends");
  });

  test("a handle made for another server says nothing of this one", async (t) => {
    const bench = stand.bench(t);
    const spawner = await bench.spawner();
    const server = await bench.start(spawner, bench.request());
    await bench.untilRunning(spawner, server);
    const tag = newTag();
    const { rows, complete } = await spawner.observe([{ ...server, tag }], bench.call());
    assert.deepEqual([rows, complete], [[], true]);
  });

  test("a handle of another version is unknown, and stopped by its tag", async (t) => {
    const bench = stand.bench(t);
    const spawner = await bench.spawner();
    const server = await bench.start(spawner, bench.request());
    await bench.untilRunning(spawner, server);
    const later = { ...server, handle: { ...server.handle, v: 2, account: stand.stranger, jobId: "1" } };
    assert.equal((await bench.row(spawner, [later], server.tag))?.state, "unknown");
    await spawner.stop(later, { graceSeconds: 1, ...bench.call() });
    await bench.untilEnded(spawner, server, "stopped by its tag it ends");
  });

  // Last: it takes all other jobs of this Slurm along.
  test("an id that is given out again is not the old server", async (t) => {
    const bench = stand.bench(t, { partition: "closed" });
    const spawner = await bench.spawner();
    await stand.bed.controller.forget();
    const server = await bench.start(spawner, bench.request());
    await stand.bed.controller.forget();
    // The same account, the same id, another job.
    const reused = await stand.submit(stand.account, ["--partition=closed"]);
    assert.equal(reused, server.handle.jobId, "the controller gives its first id again");
    const { rows, complete } = await spawner.observe([server], bench.call());
    assert.deepEqual([rows, complete], [[], true], "it is absent");
    assert.equal(await spawner.locate(keyOf(server), bench.call()), undefined);
    await spawner.stop(server, { graceSeconds: 0, ...bench.call() });
    assert.equal(
      await stand.recordOf(reused, "JobState"),
      "PENDING",
      "stopping the old server left it alone",
    );
  });
});
