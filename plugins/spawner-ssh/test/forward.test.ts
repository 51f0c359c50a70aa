import assert from "node:assert/strict";
import { describe, type TestContext, test } from "node:test";
import { benchOn, running, skip, stateOf, theBed } from "./fixtures/bed.ts";

async function behindForward(t: TestContext) {
  const bench = await benchOn(t, { connect: "forward" });
  return { bench, ...(await running(bench, "login1")) };
}

describe("behind a forward", { skip }, () => {
  test("a server listens on its machine's loopback, and is reached by an address of the hub's", async (t) => {
    const { bench, server, url, child } = await behindForward(t);
    const state = await stateOf(server);
    assert.equal(state.host, "127.0.0.1");
    assert.notEqual(url, state.url);
    assert.equal((await bench.facts(url)).pid, child.pid);
  });

  test("the address is the same over a restart of the hub, and stays while it is looked at", async (t) => {
    const { bench, server, url, spawner, child } = await behindForward(t);
    /** As the hub asks: with the address it stored. */
    const urlBy = (by: typeof spawner, stored: string) => bench.untilRunning(by, { ...server, url: stored });
    assert.equal(await urlBy(spawner, url), url);
    const before = bench.host.another();
    const first = await bench.spawner(before);
    const own = await urlBy(first, url);
    assert.notEqual(own, url, "two hub processes side by side have an address each");
    assert.equal((await bench.facts(own)).pid, child.pid);
    await before.close();
    await assert.rejects(fetch(own), "the forward ends with its process");
    const next = await bench.spawner(bench.host.another());
    assert.equal(await urlBy(next, own), own);
    assert.equal((await bench.facts(own)).pid, child.pid);
  });

  test("its host away and back: the same address leads there again", async (t) => {
    const bed = await theBed();
    const { bench, server, url, spawner, child } = await behindForward(t);
    const { host } = bed.hosts[0] ?? { host: "" };
    await bed.stop(host);
    await assert.rejects(fetch(url));
    assert.equal((await bench.row(spawner, [server], server.tag))?.state, "unknown");
    await bed.start(host);
    assert.equal((await bench.facts(url)).pid, child.pid);
    const row = await bench.until(spawner, server, (seen) => seen?.state === "running", "seen again");
    assert.equal(row?.url, url);
  });

  test("the local end is closed when the server has ended", async (t) => {
    const { bench, server, url, spawner } = await behindForward(t);
    await spawner.stop(server, { graceSeconds: 1, ...bench.call() });
    await bench.untilEnded(spawner, server, "ends");
    const error: unknown = await fetch(url).catch((reason: unknown) => reason);
    assert.match(String(error instanceof Error && error.cause), /ECONNREFUSED/);
  });
});
