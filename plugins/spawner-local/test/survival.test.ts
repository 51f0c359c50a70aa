import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import { mkdir, rename, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { describe, type TestContext, test } from "node:test";
import { isAlive, readExit, startOf } from "@elara/sdk/launcher";
import { SpawnerBench, standInCommand } from "@elara/sdk/testing";
import plugin from "../src/index.ts";
import { rewriteState, stateIn, until } from "./fixtures/folders.ts";

const OTHER_BOOT = "00000000-0000-4000-8000-000000000000";

/** A server that runs, seen by an instance that did not start it. */
async function running(t: TestContext, ...flags: string[]) {
  const bench = new SpawnerBench(t, plugin, {});
  const request = bench.request(standInCommand(...flags));
  const server = await bench.start(await bench.spawner(), request);
  const spawner = await bench.spawner(bench.host.another());
  const url = await bench.untilRunning(spawner, server);
  const facts = await bench.facts(url);
  const { launcher, child } = await stateIn(server.handle.dir);
  assert.equal(child?.pid, facts.pid);
  return { bench, spawner, server, tag: request.tag, url, launcher, child };
}

describe("when somebody is killed", () => {
  test("the launcher: the server goes on, another launcher takes over and can stop it", async (t) => {
    const { bench, spawner, server, tag, url, launcher, child } = await running(t, "--print", "3");
    process.kill(launcher.pid, "SIGKILL");
    await until(async () => {
      assert.equal(
        (await bench.row(spawner, [server], tag))?.state,
        "running",
        "the server counts as running",
      );
      return (await stateIn(server.handle.dir)).launcher.pid !== launcher.pid;
    }, "another launcher takes over");
    assert.equal((await bench.facts(url)).pid, child.pid);
    await spawner.stop(server, { graceSeconds: 5, ...bench.call() });
    const row = await bench.untilEnded(spawner, server, "it can still be stopped");
    assert.deepEqual([row?.state, row?.reason], ["ended", "stopped"]);
    assert.equal(bench.processes().length, 0);
  });

  test("the launcher, and nobody looked before the stop: the stop sees to it", async (t) => {
    const { bench, spawner, server, launcher } = await running(t, "--stubborn", "--litter");
    process.kill(launcher.pid, "SIGKILL");
    await spawner.stop(server, { graceSeconds: 0.4, ...bench.call() });
    await bench.untilEnded(spawner, server, "it is stopped without its launcher");
    assert.equal(bench.processes().length, 0, "strays are left");
  });

  test("the launcher while the server starts: it comes up all the same", async (t) => {
    const bench = new SpawnerBench(t, plugin, {});
    const request = bench.request();
    const spawner = await bench.spawner();
    const server = await bench.start(spawner, request);
    process.kill((await stateIn(server.handle.dir)).launcher.pid, "SIGKILL");
    await bench.facts(await bench.untilRunning(spawner, server));
    assert.equal(bench.processes().length, 1);
  });

  test("the server: told with its signal, what it left is ended", async (t) => {
    const { bench, spawner, server, child } = await running(t, "--litter");
    assert.equal(bench.processes().length, 2);
    process.kill(child.pid, "SIGKILL");
    const row = await bench.untilEnded(spawner, server, "a killed server is told as ended");
    assert.deepEqual([row?.state, row?.end?.signal], ["ended", "SIGKILL"]);
    assert.equal(bench.processes().length, 0, "strays are left");
  });

  test("both: lost, and forgetting it ends what it left", async (t) => {
    const { bench, spawner, server, launcher, child } = await running(t, "--litter");
    process.kill(launcher.pid, "SIGKILL");
    process.kill(child.pid, "SIGKILL");
    const row = await bench.untilEnded(spawner, server, "it is told as gone");
    assert.equal(row?.state, "lost");
    assert.equal(await spawner.locate(server, bench.call()), undefined);
    assert.equal(bench.processes().length, 1, "the stray should still run: else this test shows nothing");
    await spawner.stop(server, { graceSeconds: 1, ...bench.call() });
    await spawner.cleanup?.(server, bench.call());
    await bench.untilNoProcess("cleanup ends strays");
  });

  test("the launcher before it started anything: the claim is taken over", async (t) => {
    const { bench, spawner, server, tag } = await running(t);
    await spawner.stop(server, { graceSeconds: 0, ...bench.call() });
    await bench.untilEnded(spawner, server, "ends");
    await spawner.cleanup?.(server, bench.call());
    const request = bench.request();
    await mkdir(server.handle.dir.replace(tag, request.tag), { mode: 0o700 });
    const next = await bench.start(spawner, request);
    await bench.facts(await bench.untilRunning(spawner, next));
  });
});

describe("when somebody removes records of a running server", () => {
  for (const whole of [false, true])
    test(`${whole ? "with all others" : "only its own"}: it is not gone, and a stop ends it`, async (t) => {
      const { bench, spawner, server, tag } = await running(t, "--litter");
      const { dir } = server.handle;
      await rm(whole ? dirname(dir) : dir, { recursive: true });
      const row = await bench.row(spawner, [server], tag);
      assert.equal(row?.state, "unknown");
      assert.match(row?.reason ?? "", /records are gone although it runs/);
      if (!whole) assert.equal((await spawner.locate(server, bench.call()))?.dir, dir);
      await spawner.stop(server, { graceSeconds: 2, ...bench.call() });
      assert.equal((await bench.untilEnded(spawner, server, "it is ended by its mark"))?.state, "lost");
      assert.equal(bench.processes().length, 0);
      if (!whole) assert.equal(await spawner.locate(server, bench.call()), undefined);
    });

  test("one that does not listen to INT is killed when its grace is over", async (t) => {
    const { bench, spawner, server } = await running(t, "--stubborn");
    await rm(server.handle.dir, { recursive: true });
    await spawner.stop(server, { graceSeconds: 0.4, ...bench.call() });
    await bench.untilEnded(spawner, server, "it is killed");
    assert.equal(bench.processes().length, 0);
  });
});

describe("when somebody writes an end for a server that runs", () => {
  const forged = { v: 1, cause: "exited", exitCode: 0, signal: null, at: "", code: null, message: "" };

  for (const [what, without] of [
    ["beside whole records", []],
    ["and removes the record of where it runs", ["state.json"]],
  ] as const)
    test(`${what}: it has not ended, and a stop ends it`, async (t) => {
      const { bench, spawner, server, tag } = await running(t);
      const { dir } = server.handle;
      for (const name of without) await rm(join(dir, name));
      await writeFile(join(dir, "exit.json"), JSON.stringify({ ...forged, tag }));
      const row = await bench.row(spawner, [server], tag);
      assert.equal(row?.state, without.length > 0 ? "unknown" : "running");
      assert.equal((await spawner.locate(server, bench.call()))?.dir, dir);
      await spawner.stop(server, { graceSeconds: 2, ...bench.call() });
      await bench.untilNoProcess("it is ended");
      const end = await bench.untilEnded(spawner, server, "its true end is told");
      if (without.length === 0) assert.deepEqual([end?.state, end?.reason], ["ended", "stopped"]);
    });

  test("and its launcher is dead, or seems to be: another one ends it", async (t) => {
    for (const kill of [true, false]) {
      const { bench, spawner, server, tag, launcher } = await running(t, "--stubborn");
      const { dir } = server.handle;
      if (kill) process.kill(launcher.pid, "SIGKILL");
      else await rewriteState(dir, { launcher: { pid: launcher.pid, start: launcher.start + 1 } });
      await writeFile(join(dir, "exit.json"), JSON.stringify({ ...forged, tag }));
      assert.equal((await bench.row(spawner, [server], tag))?.state, "running");
      await spawner.stop(server, { graceSeconds: 0.4, ...bench.call() });
      await bench.untilNoProcess("it is ended");
    }
  });

  test("and makes the launcher's own log a FIFO: a stop is not held up", { timeout: 60_000 }, async (t) => {
    const { bench, spawner, server, launcher } = await running(t);
    process.kill(launcher.pid, "SIGKILL");
    await rm(join(server.handle.dir, "launcher.log"));
    execFileSync("mkfifo", [join(server.handle.dir, "launcher.log")]);
    await spawner.stop(server, { graceSeconds: 0.4, ...bench.call() });
    await bench.untilNoProcess("it is ended");
  });
});

describe("after a restart of the machine", () => {
  test("the server has ended, and nobody is killed for it", async (t) => {
    const { bench, spawner, server, tag, child, launcher } = await running(t);
    await rewriteState(server.handle.dir, { bootId: OTHER_BOOT });
    const old = { ...server, handle: { ...server.handle, bootId: OTHER_BOOT } };
    const row = await bench.row(spawner, [old], tag);
    assert.deepEqual([row?.state, row?.end?.code], ["ended", "LOCAL_MACHINE_RESTARTED"]);
    assert.equal(await spawner.locate(server, bench.call()), undefined);

    // The launcher would still obey; a record of another boot must not even be read for pids.
    process.kill(launcher.pid, "SIGKILL");
    await until(() => startOf(launcher.pid) === undefined, "the launcher is gone");
    await spawner.stop(old, { graceSeconds: 0, ...bench.call() });
    await spawner.cleanup?.(old, bench.call());
    assert.notEqual(startOf(child.pid), undefined, "a process of another boot's pid was killed");
  });
});

describe("when a pid was given to somebody else", () => {
  test("the stranger is neither taken for the server nor killed", async (t) => {
    const { bench, spawner, server, tag, launcher, child } = await running(t);
    const stranger = spawn("sleep", ["60"], { stdio: "ignore" });
    t.after(() => stranger.kill("SIGKILL"));
    assert.ok(stranger.pid);
    process.kill(launcher.pid, "SIGKILL");
    process.kill(child.pid, "SIGKILL");
    await until(() => startOf(child.pid) === undefined, "the server is gone");
    const pid = stranger.pid;
    await rewriteState(server.handle.dir, {
      launcher: { pid, start: launcher.start },
      child: { pid, start: child.start },
    });
    assert.equal((await bench.row(spawner, [server], tag))?.state, "lost");
    await spawner.stop(server, { graceSeconds: 0, ...bench.call() });
    await spawner.cleanup?.(server, bench.call());
    assert.equal(stranger.exitCode ?? stranger.signalCode, null, "a stranger was killed");
    assert.ok(isAlive({ pid, start: startOf(pid) ?? -1 }, server.handle.bootId));
  });
});

describe("when the records cannot be read", () => {
  test("the folder of claims is not there: unknown, and running again when it is back", async (t) => {
    const { bench, spawner, server, tag } = await running(t);
    const runDir = dirname(server.handle.dir);
    await rename(runDir, `${runDir}-away`);
    assert.equal((await bench.row(spawner, [server], tag))?.state, "unknown");
    await rename(`${runDir}-away`, runDir);
    assert.equal((await bench.row(spawner, [server], tag))?.state, "running");
    assert.equal(await readExit(server.handle.dir), undefined);
  });
});
