import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, test } from "node:test";
import { standInCommand } from "@elara/sdk/testing";
import { openStand, skip, until } from "./fixtures/stand.ts";

const stand = await openStand({ minJobAge: 2 });

describe("the end of a server is told with its cause", { skip, concurrency: 4 }, () => {
  test("the time it asked for", async (t) => {
    const bench = stand.bench(t, { partition: "short", walltimeMinutes: 1 });
    const spawner = await bench.spawner();
    const server = await bench.start(spawner, bench.request());
    const { endsAt } =
      (await bench.until(spawner, server, (row) => row?.endsAt !== undefined, "its end is known")) ?? {};
    const left = Date.parse(endsAt ?? "") - Date.now();
    assert.ok(left > 30_000 && left < 62_000, `${endsAt} is a minute from now`);
    const row = await until(
      "its time to be over",
      async () => {
        const seen = await bench.row(spawner, [server], server.tag);
        return (seen === undefined || seen.state === "ended") && { seen };
      },
      150,
    );
    assert.deepEqual([row.seen?.state, row.seen?.end?.code], ["ended", "BATCH_TIME_LIMIT"]);
    assert.equal(row.seen?.reason, "The time you asked for is over.");
  });

  test("cancelled by hand", async (t) => {
    const bench = stand.bench(t);
    const spawner = await bench.spawner();
    const server = await bench.start(spawner, bench.request());
    await bench.untilRunning(spawner, server);
    await stand.bed.run(["scancel", server.handle.jobId], { account: stand.account });
    const row = await bench.untilEnded(spawner, server, "cancelled, it ends");
    assert.equal(row?.end?.code, "BATCH_CANCELLED");
  });

  test("an exit code, also when the scheduler has forgotten the job", async (t) => {
    const bench = stand.bench(t);
    const server = await bench.start(await bench.spawner(), bench.request(standInCommand("--exit", "9")));
    await until(
      "the scheduler to forget",
      async () =>
        !(await stand.bed.run(["squeue", "-h", "-t", "all", "-o", "%i"]))
          .split("\n")
          .includes(server.handle.jobId),
      120,
    );
    const row = await bench.row(await bench.spawner(), [server], server.tag);
    assert.deepEqual([row?.state, row?.end?.exitCode], ["ended", 9]);
  });

  test("its launcher killed: the job is over and nothing is left", async (t) => {
    const bench = stand.bench(t);
    const spawner = await bench.spawner();
    const server = await bench.start(spawner, bench.request(standInCommand("--stubborn")));
    await bench.facts(await bench.untilRunning(spawner, server));
    const { launcher } = JSON.parse(readFileSync(`${stand.folder(server.tag)}/state.json`, "utf8"));
    process.kill(launcher.pid, "SIGKILL");
    const row = await bench.untilEnded(spawner, server, "without its launcher it ends");
    assert.equal(row?.state, "ended");
    await bench.untilNoProcess("without its launcher it ends");
  });

  test("a script that never comes to the launcher", async (t) => {
    const bench = stand.bench(t, { script: "#!/bin/sh\necho no such module >&2\nexit 1\n" });
    const spawner = await bench.spawner();
    const server = await bench.start(spawner, bench.request());
    const row = await bench.untilEnded(spawner, server, "a job that does not start a server ends");
    assert.equal(row?.end?.code, "BATCH_LAUNCH_FAILED");
    assert.deepEqual(await spawner.logs?.(server, { lines: 5, ...bench.call() }), ["no such module"]);
  });

  test("a file where the home should be: the start says so", async (t) => {
    const bench = stand.bench(t, { runDir: "/etc/passwd/run" });
    await assert.rejects(bench.start(await bench.spawner(), bench.request()), {
      code: "BATCH_RUN_DIR_UNUSABLE",
    });
  });
});
