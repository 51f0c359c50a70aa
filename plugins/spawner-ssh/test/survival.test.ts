import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { rename, rm } from "node:fs/promises";
import { dirname } from "node:path";
import { describe, type TestContext, test } from "node:test";
import { isAlive, startOf } from "@elara/sdk/launcher";
import { benchOn, folderOf, rewriteState, running, skip, stateOf, theBed, until } from "./fixtures/bed.ts";

const OTHER_BOOT = "00000000-0000-4000-8000-000000000000";

async function aServer(t: TestContext, ...flags: string[]) {
  const bench = await benchOn(t);
  return { bench, ...(await running(bench, "login1", ...flags)) };
}

describe("servers outlive", { skip }, () => {
  test("the connection and its sshd", async (t) => {
    const bed = await theBed();
    const { bench, spawner, server, url, child } = await aServer(t);
    const { host } = bed.hosts[0] ?? { host: "" };
    await bed.stop(host);
    assert.equal((await bench.facts(url)).pid, child.pid);
    await bed.start(host);
    await bench.until(spawner, server, (row) => row?.state === "running", "it is seen running again");
    assert.equal((await bench.facts(url)).pid, child.pid);
  });

  test("their launcher: another takes over and can stop them, with all they started", async (t) => {
    const { bench, spawner, server, launcher, child } = await aServer(t, "--litter");
    process.kill(launcher.pid, "SIGKILL");
    await until(async () => {
      assert.equal((await bench.row(spawner, [server], server.tag))?.state, "running");
      return (await stateOf(server)).launcher.pid !== launcher.pid;
    }, "another launcher takes over");
    assert.equal(bench.processes().length, 2);
    assert.ok(isAlive(child, server.handle.bootId));
    await spawner.stop(server, { graceSeconds: 3, ...bench.call() });
    await bench.untilEnded(spawner, server, "it can be stopped");
    assert.deepEqual(bench.processes(), []);
  });
});

describe("nothing is taken for what it is not", { skip }, () => {
  test("a machine that was restarted: the server has ended, nobody is killed for it", async (t) => {
    const { bench, spawner, server, launcher, child } = await aServer(t);
    await rewriteState(server, { bootId: OTHER_BOOT });
    const old = { ...server, handle: { ...server.handle, bootId: OTHER_BOOT } };
    const row = await bench.row(spawner, [old], server.tag);
    assert.deepEqual([row?.state, row?.end?.code], ["ended", "SSH_MACHINE_RESTARTED"]);
    assert.match(row?.reason ?? "", /was restarted/);
    assert.equal(await spawner.locate(server, bench.call()), undefined);
    process.kill(launcher.pid, "SIGKILL");
    await until(() => startOf(launcher.pid) === undefined, "the launcher is gone");
    await spawner.stop(old, { graceSeconds: 0, ...bench.call() });
    await spawner.cleanup?.(old, bench.call());
    assert.notEqual(startOf(child.pid), undefined, "a process of another boot's pid was killed");
  });

  test("a pid that was given to somebody else: lost, the stranger is not killed", async (t) => {
    const { bench, spawner, server, launcher, child } = await aServer(t);
    const stranger = spawn("sleep", ["60"], { stdio: "ignore" });
    t.after(() => stranger.kill("SIGKILL"));
    const { pid } = stranger;
    assert.ok(pid);
    process.kill(launcher.pid, "SIGKILL");
    process.kill(child.pid, "SIGKILL");
    await until(() => startOf(child.pid) === undefined, "the server is gone");
    await rewriteState(server, {
      launcher: { pid, start: launcher.start },
      child: { pid, start: child.start },
    });
    assert.equal((await bench.row(spawner, [server], server.tag))?.state, "lost");
    await spawner.stop(server, { graceSeconds: 0, ...bench.call() });
    await spawner.cleanup?.(server, bench.call());
    assert.equal(stranger.exitCode ?? stranger.signalCode, null, "a stranger was killed");
  });

  for (const whole of [false, true])
    test(`records that somebody removed, ${whole ? "with all others" : "only its own"}: not gone, and can be ended`, async (t) => {
      const { bench, spawner, server, child } = await aServer(t, "--litter");
      const folder = folderOf(server);
      await rm(whole ? dirname(folder) : folder, { recursive: true });
      const row = await bench.row(spawner, [server], server.tag);
      assert.equal(row?.state, "unknown");
      assert.match(row?.reason ?? "", /records are gone although it runs/);
      const found = await spawner.locate(server, bench.call());
      assert.ok(found, "a start that is repeated must find it");
      assert.notEqual(startOf(child.pid), undefined);
      await spawner.stop({ ...server, handle: found }, { graceSeconds: 2, ...bench.call() });
      const end = await bench.untilEnded(spawner, server, "it is ended by its mark");
      assert.equal(end?.state, "lost");
      assert.deepEqual(bench.processes(), []);
      assert.equal(await spawner.locate(server, bench.call()), undefined);
      await bench.untilRunning(spawner, await bench.start(spawner, bench.request()));
    });

  test("records out of reach are unknown: the folder away, the home away; back, it runs", async (t) => {
    const { bench, spawner, server } = await aServer(t);
    const runDir = dirname(folderOf(server));
    const home = `/home/${server.handle.account}`;
    for (const [folder, reason] of [
      [runDir, /records are gone although it runs/],
      [home, /Your files on login1 cannot be used/],
    ] as const) {
      await rename(folder, `${folder}-away`);
      const row = await bench.row(spawner, [server], server.tag);
      const located = folder === home ? spawner.locate(server, bench.call()) : undefined;
      await located?.then(
        () => assert.fail("a home that is away says nothing about what is in it"),
        (error: unknown) => assert.match(String(error), /cannot be used/),
      );
      await rename(`${folder}-away`, folder);
      assert.equal(row?.state, "unknown", folder);
      assert.match(row?.reason ?? "", reason);
      await bench.until(spawner, server, (seen) => seen?.state === "running", "it is seen running again");
    }
  });
});
