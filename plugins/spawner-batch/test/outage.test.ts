import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { newHandle } from "../src/handle.ts";
import { keyOf } from "./fixtures/key.ts";
import { linesOf, openStand, skip } from "./fixtures/stand.ts";

const stand = await openStand();
const away = { code: "BATCH_SCHEDULER_AWAY", status: 503, retryable: true };

describe("while the scheduler does not answer, nothing is concluded", { skip }, () => {
  test("killed: looks, searches, starts and stops throw; back again, the server still runs", async (t) => {
    const bench = stand.bench(t);
    const spawner = await bench.spawner();
    const server = await bench.start(spawner, bench.request());
    const url = await bench.untilRunning(spawner, server);
    const { id } = await bench.facts(url);
    await stand.bed.controller.stop();
    t.after(() => stand.bed.controller.start().catch(() => {}));
    const call = bench.call(AbortSignal.timeout(60_000));
    const another = bench.request();
    await Promise.all([
      assert.rejects(spawner.observe([server], call), away, "observe"),
      assert.rejects(spawner.locate(keyOf(server), call), away, "locate"),
      assert.rejects(spawner.stop(server, { graceSeconds: 1, ...call }), away, "stop"),
      assert.rejects(bench.start(spawner, another, call), away, "start"),
      // Asked once more for a server that runs: its records must not go.
      assert.rejects(
        bench.start(spawner, { ...bench.request(), ...keyOf(server) }, call),
        away,
        "start again",
      ),
    ]);
    assert.equal((await bench.facts(url)).id, id, "the server goes on meanwhile");
    await stand.bed.controller.start();
    assert.equal(await bench.untilRunning(spawner, server), url);
    assert.equal(await bench.untilRunning(await bench.spawner(bench.host.another()), server), url);
    assert.equal(await spawner.locate(keyOf(another), bench.call()), undefined);
  });

  test("frozen: a look ends by itself within 13 s; thawed, the server still runs", async (t) => {
    const bench = stand.bench(t);
    const spawner = await bench.spawner();
    const server = await bench.start(spawner, bench.request());
    const url = await bench.untilRunning(spawner, server);
    stand.bed.controller.freeze();
    t.after(() => stand.bed.controller.thaw());
    const begun = performance.now();
    await assert.rejects(spawner.observe([server], bench.call()), away);
    assert.ok(performance.now() - begun < 13_000, "it took longer than its deadline");
    stand.bed.controller.thaw();
    assert.equal(await bench.untilRunning(spawner, server), url);
  });

  test("a listing that cannot be read is none", async (t) => {
    const bench = stand.bench(t);
    const spawner = await bench.spawner();
    const server = await bench.start(spawner, bench.request());
    await bench.untilRunning(spawner, server);
    for (const [what, text, code] of [
      ["garbage", "#!/bin/sh\necho '<html>503</html>'\n", "BATCH_UNREADABLE"],
      ["cut off", '#!/bin/sh\nREAL "$@" | head -c 20\n', "BATCH_UNREADABLE"],
      ["failing after half of it", '#!/bin/sh\nREAL "$@"; exit 1\n', "BATCH_SCHEDULER_AWAY"],
      ["endless", "#!/bin/sh\nwhile :; do echo '1|1|RUNNING|1|1|1|n1|None'; done\n", "BATCH_UNREADABLE"],
    ] as const) {
      const { PATH } = await stand.shim(t, "squeue", text);
      const sick = stand.bench(t, { environment: { ...stand.bed.env, PATH } });
      const other = await sick.spawner();
      await assert.rejects(other.observe([server], bench.call()), { code }, what);
      await assert.rejects(other.locate(keyOf(server), bench.call()), what);
    }
  });

  test("a handle of another server is not absent either", async (t) => {
    const { PATH } = await stand.shim(
      t,
      "squeue",
      "#!/bin/sh\necho 'Unable to contact slurm controller' >&2\nexit 1\n",
    );
    const bench = stand.bench(t, { environment: { ...stand.bed.env, PATH } });
    const handle = newHandle("another", { jobId: "1", owner: "1", account: stand.account, submittedAt: 1 });
    await assert.rejects(
      (await bench.spawner()).observe([bench.stored(bench.request(), handle)], bench.call()),
      away,
    );
  });

  test("without its commands the way to them is told", async (t) => {
    const bench = stand.bench(t, { environment: { PATH: "/nonexistent" } });
    await assert.rejects((await bench.spawner()).locate(keyOf(bench.request()), bench.call()), {
      code: "BATCH_SCHEDULER_MISSING",
    });
  });
});

describe("load on the scheduler", { skip }, () => {
  test("one listing a look for 1 and for 40 servers, shared by looks at one time", async (t) => {
    const { PATH, dir } = await stand.shim(
      t,
      "squeue",
      '#!/bin/sh\necho "$@" >> "$(dirname "$0")/calls"\nexec REAL "$@"\n',
    );
    const bench = stand.bench(t, { partition: "closed", environment: { ...stand.bed.env, PATH } });
    const spawner = await bench.spawner();
    const first = await bench.start(spawner, bench.request());
    const rest = await Promise.all(Array.from({ length: 39 }, () => bench.start(spawner, bench.request())));
    const calls = async (work: () => Promise<unknown>): Promise<number> => {
      const before = (await linesOf(`${dir}/calls`)).length;
      await work();
      return (await linesOf(`${dir}/calls`)).length - before;
    };
    assert.equal(await calls(() => spawner.observe([first], bench.call())), 1);
    assert.equal(
      await calls(async () => {
        const { rows } = await spawner.observe([first, ...rest], bench.call());
        assert.equal(rows.filter(({ state }) => state === "queued").length, 40);
      }),
      1,
    );
    const many = () => Promise.all([first, ...rest].map((server) => spawner.observe([server], bench.call())));
    assert.equal(await calls(many), 1);
    await stand.bed.run(["scancel", `--user=${stand.account}`]);
  });
});
