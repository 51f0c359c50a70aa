import assert from "node:assert/strict";
import { chmod, readdir, readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, type TestContext, test } from "node:test";
import { checkCall, SpawnerBench, standInCommand } from "@elara/sdk/testing";
import plugin from "../src/index.ts";
import { until } from "./fixtures/folders.ts";

const benchOf = (t: TestContext, options: Record<string, unknown> = {}) =>
  new SpawnerBench(t, plugin, { options });

describe("a server as the hub's own account", () => {
  test("has a home of its own, which is private", async (t) => {
    const bench = benchOf(t);
    const request = { ...bench.request(), user: { id: "u1", name: "Ada Lovelace/.." } };
    const spawner = await bench.spawner();
    const server = await bench.start(spawner, request);
    const facts = await bench.facts(await bench.untilRunning(spawner, server));
    assert.equal(facts.home, join(bench.host.dataDir, "homes", "=41da=20=4covelace=2f.."));
    assert.equal(facts.cwd, facts.home);
    assert.equal(facts.user, "Ada Lovelace/..");
    assert.equal((await stat(facts.home)).mode & 0o777, 0o700);
  });

  test("leaves no secret in its records, and others cannot read them", async (t) => {
    const bench = benchOf(t);
    const request = bench.request();
    const spawner = await bench.spawner();
    const server = await bench.start(spawner, request);
    await bench.untilRunning(spawner, server);
    assert.equal((await stat(server.handle.dir)).mode & 0o777, 0o700);
    const names = await readdir(server.handle.dir);
    assert.ok(names.includes("state.json") && names.includes("log"));
    for (const name of names) {
      assert.equal((await stat(join(server.handle.dir, name))).mode & 0o777, 0o600, name);
      assert.ok(!(await readFile(join(server.handle.dir, name), "utf8")).includes(bench.secret), name);
    }
  });

  test("says what it prints, bounded, newest kept", async (t) => {
    const logBytes = 65_536;
    const bench = benchOf(t, { logBytes });
    const request = bench.request(standInCommand("--print", "20000"));
    const spawner = await bench.spawner();
    const server = await bench.start(spawner, request);
    await bench.untilRunning(spawner, server);
    const tail = async () => (await spawner.logs?.(server, { lines: 3, ...bench.call() })) ?? [];
    await until(
      async () => (await tail()).at(-1)?.startsWith("line 20000 ") ?? false,
      "the last line is kept",
    );
    assert.deepEqual(
      (await tail()).map((line) => line.split(" ")[1]),
      ["19998", "19999", "20000"],
    );
    let size = 0;
    for (const name of ["log", "log.1"]) size += (await stat(join(server.handle.dir, name))).size;
    assert.ok(size <= logBytes && size > logBytes / 4, `${size} bytes of log are kept`);
  });

  test("ends with all it started, also what went into a session of its own", async (t) => {
    const bench = benchOf(t);
    const request = bench.request(standInCommand("--litter"));
    const spawner = await bench.spawner();
    const server = await bench.start(spawner, request);
    await bench.untilRunning(spawner, server);
    assert.equal(bench.processes().length, 2);
    await spawner.stop(server, { graceSeconds: 5, ...bench.call() });
    await bench.untilEnded(spawner, server, "ends");
    assert.deepEqual(bench.processes(), []);
  });

  test("keeps its records while it runs", async (t) => {
    const bench = benchOf(t);
    const request = bench.request();
    const spawner = await bench.spawner();
    const server = await bench.start(spawner, request);
    await assert.rejects(async () => spawner.cleanup?.(server, bench.call()), {
      code: "LOCAL_STILL_RUNNING",
    });
    await bench.untilRunning(spawner, server);
  });

  test("takes a limit", async (t) => {
    const bench = benchOf(t, { limits: { nofile: 512 } });
    const request = bench.request();
    const spawner = await bench.spawner();
    const server = await bench.start(spawner, request);
    await bench.untilRunning(spawner, server);
    assert.match(await readFile(`/proc/${server.handle.pid}/limits`, "utf8"), /^Max open files\s+512\s+512/m);
    // More open files than the kernel gives anybody.
    const greedy = benchOf(t, { limits: { nofile: 2 ** 40 } });
    await assert.rejects(greedy.start(await greedy.spawner(), greedy.request()), {
      code: "LOCAL_LIMIT_REFUSED",
    });
  });
});

describe("what cannot be started is told", () => {
  test("a command that is not there, or may not be executed", async (t) => {
    const bench = benchOf(t);
    const spawner = await bench.spawner();
    const file = join(bench.host.dataDir, "not-executable");
    await writeFile(file, "#!/bin/sh\n", { mode: 0o644 });
    for (const command of ["elara-no-such-command", file])
      await assert.rejects(bench.start(spawner, bench.request([command])), {
        code: "LOCAL_COMMAND_NOT_FOUND",
      });
    assert.deepEqual(
      await readdir(join(bench.host.dataDir, "run")),
      ["ports"],
      "failed starts leave nothing",
    );
  });

  test("a home that cannot be made", async (t) => {
    const bench = benchOf(t, { homes: "file/{user}" });
    await writeFile(join(bench.host.dataDir, "file"), "");
    await assert.rejects(bench.start(await bench.spawner(), bench.request()), {
      code: "LOCAL_HOME_UNUSABLE",
    });
  });

  test("a Python that is missing or too old", async (t) => {
    const bench = benchOf(t, { python: "/nonexistent/python3" });
    const spawner = await bench.spawner();
    await assert.rejects(bench.start(spawner, bench.request()), { code: "LOCAL_PYTHON_MISSING" });
    await assert.rejects(async () => spawner.check?.(...checkCall()), { code: "LOCAL_PYTHON_MISSING" });

    const file = join(bench.host.dataDir, "old-python");
    await writeFile(file, "#!/bin/sh\nexit 1\n");
    await chmod(file, 0o755);
    const old = await plugin.setup({ ...bench.options(), python: file }, bench.host.another());
    await assert.rejects(async () => old.check?.(...checkCall()), { code: "LOCAL_PYTHON_MISSING" });
  });

  test("and check is content with this machine", async (t) => {
    await (await benchOf(t).spawner()).check?.(...checkCall());
  });
});
