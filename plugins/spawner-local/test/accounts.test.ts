import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { stat } from "node:fs/promises";
import { describe, type TestContext, test } from "node:test";
import { checkCall, SpawnerBench, standInCommand } from "@elara/sdk/testing";
import plugin from "../src/index.ts";
import { stateIn } from "./fixtures/folders.ts";

const isRoot = process.getuid?.() === 0;
const skip = isRoot ? false : "needs root: servers as system accounts are NOT tested";

/** An account of this machine, with a second group, gone after the test. */
function account(t: TestContext): { name: string; home: string; uid: number; gid: number; group: number } {
  const name = `elara-t${randomBytes(3).toString("hex")}`;
  const id = (flag: string, of: string) => Number(execFileSync("id", [flag, of], { encoding: "utf8" }));
  execFileSync("groupadd", [`${name}-x`]);
  t.after(() => execFileSync("groupdel", [`${name}-x`]));
  execFileSync("useradd", ["--create-home", "--shell", "/bin/bash", "--groups", `${name}-x`, name]);
  t.after(() => execFileSync("userdel", ["--force", "--remove", name], { stdio: "ignore" }));
  const entry = execFileSync("getent", ["group", `${name}-x`], { encoding: "utf8" });
  return {
    name,
    home: `/home/${name}`,
    uid: id("-u", name),
    gid: id("-g", name),
    group: Number(entry.split(":")[2]),
  };
}

const benchOf = (t: TestContext, name: string, options: Record<string, unknown> = {}) =>
  new SpawnerBench(t, plugin, {
    options: { systemAccounts: true, ...options },
    request: { user: { id: "u1", name } },
  });

describe("a server as the account of its user", () => {
  test("has the account's uid, groups, home and name; its records stay the hub's", { skip }, async (t) => {
    const { name, home, uid, gid, group } = account(t);
    const bench = benchOf(t, name);
    const request = bench.request();
    const spawner = await bench.spawner();
    const server = await bench.start(spawner, request);
    const facts = await bench.facts(await bench.untilRunning(spawner, server));
    assert.deepEqual(
      { uid: facts.uid, gid: facts.gid, home: facts.home, cwd: facts.cwd, user: facts.user },
      { uid, gid, home, cwd: home, user: name },
    );
    assert.deepEqual(new Set(facts.groups), new Set([gid, group]), "supplementary groups, and no others");
    assert.equal((await stat(server.handle.dir)).uid, 0);
    assert.ok(!facts.args.includes("--allow-root"));
    await spawner.stop(server, { graceSeconds: 3, ...bench.call() });
    await bench.untilEnded(spawner, server, "ends");
    await bench.untilNoProcess("ends");
  });

  test("is stopped when it ignores being asked, also without its launcher", { skip }, async (t) => {
    const { name } = account(t);
    const bench = benchOf(t, name);
    const request = bench.request(standInCommand("--stubborn", "--litter"));
    const spawner = await bench.spawner();
    const server = await bench.start(spawner, request);
    await bench.untilRunning(spawner, server);
    const { launcher } = await stateIn(server.handle.dir);
    process.kill(launcher.pid, "SIGKILL");
    await spawner.stop(server, { graceSeconds: 0.4, ...bench.call() });
    await bench.untilEnded(spawner, server, "ends");
    assert.deepEqual(bench.processes(), []);
  });

  test("an account that is missing, or not meant for people, is told", { skip }, async (t) => {
    const missing = `elara-none${randomBytes(3).toString("hex")}`;
    const nobody = benchOf(t, missing);
    await assert.rejects(nobody.start(await nobody.spawner(), nobody.request()), {
      code: "LOCAL_ACCOUNT_MISSING",
      status: 403,
      message: new RegExp(`the account "${missing}" of this machine, and there is no such account`),
    });
    for (const name of ["root", "daemon"]) {
      const bench = benchOf(t, name);
      await assert.rejects(bench.start(await bench.spawner(), bench.request()), {
        code: "LOCAL_ACCOUNT_REFUSED",
        message: new RegExp(`the account "${name}"`),
      });
    }
  });

  test("a home that is not there is told", { skip }, async (t) => {
    const { name, home } = account(t);
    execFileSync("rm", ["-rf", home]);
    const bench = benchOf(t, name);
    await assert.rejects(bench.start(await bench.spawner(), bench.request()), {
      code: "LOCAL_HOME_UNUSABLE",
    });
  });
});

test("without root, system accounts are refused by check", async (t) => {
  t.mock.property(process, "getuid", () => 1000);
  await assert.rejects(async () => (await benchOf(t, "x").spawner()).check?.(...checkCall()), {
    code: "LOCAL_NEEDS_ROOT",
  });
});
