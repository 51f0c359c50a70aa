import assert from "node:assert/strict";
import { afterEach, beforeEach, describe, it } from "node:test";
import { type Replica, Stand, until } from "./stand.ts";

describe("with something away", () => {
  let stand: Stand;
  let replica: Replica;
  beforeEach(async () => {
    stand = await Stand.open();
    replica = await stand.start();
  });
  afterEach(() => stand.close());

  it("bus: a start waits for its grant with its clock standing, and goes on", async () => {
    stand.refusal = "BUS_AWAY";
    await stand.order();
    const waiting = await stand.reach("waits", ({ clockLeftMs = 0 }) => clockLeftMs > 0);
    assert.ok((waiting.clockLeftMs ?? 0) > 29_000);
    await until("page is told", async () => (await stand.attempt()).names.includes("login_awaited"));
    // Longer than the submit clock.
    stand.clock.advance(100);
    stand.refusal = "";
    await stand.rest("ready");
  });

  it("bus: a start does not wait for its grant for ever, and its cause is the bus", async () => {
    stand.refusal = "BUS_NO_RESPONDERS";
    await stand.order();
    await stand.reach("waits", ({ clockLeftMs = 0 }) => clockLeftMs > 0);
    stand.clock.advance(121);
    const failed = await stand.reachPhase("failed");
    assert.equal(failed.cause.code, "BUS_NO_RESPONDERS");
    stand.refusal = "";
    await stand.rest("failed");
    await stand.order();
    await stand.rest("ready");
    assert.equal(stand.world.made.length, 1);
  });

  it("bus: a server that is submitted becomes ready, and its events come later", async () => {
    await stand.order({ queues: true });
    const { tag } = await stand.reachPhase("queued");
    await stand.told("server.requested", "server.starting", "server.queued");
    stand.network.down();
    await stand.world.allocate(tag);
    await stand.rest("ready");
    assert.ok(!stand.eventTypes().includes("server.ready"));
    stand.network.up();
    await stand.told("server.ready");
  });

  it("bus: an ended server is told at once, its grant revoked when the bus is back", async () => {
    await stand.order();
    const { tag } = await stand.rest("ready");
    stand.network.down();
    stand.world.end(tag, { exitCode: 1 });
    const doc = await stand.reachPhase("stopped");
    assert.equal(doc.inMotion, true);
    assert.equal(stand.grants.size, 1);
    stand.network.up();
    await stand.rest("stopped");
    assert.equal(stand.grants.size, 0);
  });

  it("store: nothing is touched, no clock runs, and it goes on when it is back", async () => {
    await stand.order({ queues: true });
    const { tag } = await stand.reachPhase("queued");
    await stand.world.allocate(tag);
    const http = stand.world.jobs.get(tag);
    assert.ok(http);
    await stand.rest("ready");
    await stand.order({ homeless: true }, { serverName: "lab2" });
    await stand.reachPhase("starting", "lab2");
    replica.setStoreAway(true);
    const calls = stand.world.calls.length;
    const looks = stand.world.observed;
    await until("driver and observer have met it", () => replica.refused > 10);
    stand.clock.advance(3_600);
    assert.equal(stand.world.calls.length, calls, "no backend call is made");
    assert.ok(stand.world.observed <= looks + 1);
    replica.setStoreAway(false);
    const later = stand.world.observed;
    await until("looked at again", () => stand.world.observed > later + 2);
    assert.equal((await stand.doc("lab2"))?.phase, "starting", "an hour without store is no boot time");
    assert.equal((await stand.doc())?.phase, "ready");
    assert.equal(stand.world.alive.length, 2);
  });
});

describe("a route", () => {
  let stand: Stand;
  beforeEach(async () => {
    stand = await Stand.open();
  });
  afterEach(() => stand.close());

  it("is waited for until every living proxy knows it", async () => {
    const proxy = stand.addProxy("");
    await stand.start({}, { routeMs: 60_000 });
    await stand.order();
    const ready = await stand.reach("was routed", ({ phase, routed }) => phase === "ready" && routed);
    const looks = stand.world.observed;
    await until("time has passed", () => stand.world.observed > looks + 5);
    assert.equal((await stand.doc())?.inMotion, true);
    assert.ok(!(await stand.attempt()).names.includes("route_added"));
    proxy.routesUpTo = ready.changedAt;
    await stand.rest("ready");
    assert.deepEqual((await stand.attempt()).names.slice(-2), ["route_added", "ready"]);
  });

  it("is not waited for longer than allowed", async () => {
    stand.addProxy("");
    await stand.start({}, { routeMs: 50 });
    await stand.order();
    await stand.rest("ready");
  });
});
