import assert from "node:assert/strict";
import { createServer } from "node:net";
import { describe, type TestContext, test } from "node:test";
import { unusedPort } from "@elara/beds/unused-port";
import { SpawnerBench, standInCommand } from "@elara/sdk/testing";
import plugin from "../src/index.ts";
import { stateIn, until } from "./fixtures/folders.ts";

/** A listener that is no server of ours. */
async function stranger(t: TestContext, port = 0): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, "127.0.0.1", resolve);
  });
  t.after(() => new Promise((resolve) => server.close(resolve)));
  const address = server.address();
  assert.ok(typeof address === "object" && address);
  return address.port;
}

const benchOf = (t: TestContext, options: Record<string, unknown>) =>
  new SpawnerBench(t, plugin, { options });

describe("ports", () => {
  test("a port rests after use, and is given out again afterwards", async (t) => {
    const port = await unusedPort();
    const bench = benchOf(t, { portRange: [port, port] });
    const spawner = await bench.spawner();
    const first = bench.request();
    const server = await bench.start(spawner, first);
    assert.equal(server.handle.port, port);
    await bench.untilRunning(spawner, server);
    await spawner.stop(server, { graceSeconds: 1, ...bench.call() });
    await bench.untilEnded(spawner, server, "ends");
    await spawner.cleanup?.(server, bench.call());

    await assert.rejects(bench.start(spawner, bench.request()), { code: "LOCAL_NO_PORT", status: 503 });

    const hasty = await plugin.setup({ ...bench.options(), portRestSeconds: 0 }, bench.host.another());
    const again = await bench.start(hasty, bench.request());
    assert.equal(again.handle.port, port);
  });

  test("a taken port is passed over; none left is told", async (t) => {
    const taken = await stranger(t, await unusedPort());
    const bench = benchOf(t, { portRange: [taken, taken] });
    const request = bench.request();
    const spawner = await bench.spawner();
    await assert.rejects(bench.start(spawner, request), { code: "LOCAL_NO_PORT" });
    assert.equal(await spawner.locate(request, bench.call()), undefined);
    const wider = await plugin.setup(
      { ...bench.options(), portRange: [taken, taken + 5] },
      bench.host.another(),
    );
    assert.notEqual((await bench.start(wider, bench.request())).handle.port, taken);
  });

  test("a port that another program took meanwhile is never shown as the server's: it starts anew elsewhere", async (t) => {
    const bench = benchOf(t, {});
    const request = bench.request(standInCommand("--silent"));
    const spawner = await bench.spawner();
    const server = await bench.start(spawner, request);
    await stranger(t, server.handle.port);
    await until(async () => {
      const row = await bench.row(spawner, [server], request.tag);
      assert.equal(row?.url, undefined, "a stranger's address was shown as the server's");
      assert.notEqual(row?.state, "running");
      return (await stateIn(server.handle.dir)).attempt === 2;
    }, "the server is started again");
    await until(async () => (await stateIn(server.handle.dir)).phase === "starting", "it is under way again");
    const state = await stateIn(server.handle.dir);
    assert.notEqual(state.port, server.handle.port);
    assert.deepEqual(bench.processes(), [state.child?.pid], "the first process is gone");
  });

  test("an address that is not this machine's is told", async (t) => {
    const bench = benchOf(t, { host: "192.0.2.1" });
    await assert.rejects(bench.start(await bench.spawner(), bench.request()), {
      code: "LOCAL_HOST_UNUSABLE",
    });
  });
});
