import assert from "node:assert/strict";
import { afterEach, beforeEach, describe, it } from "node:test";
import { SpawnPurge } from "@elara/contracts";
import { type Replica, Stand, USER, until } from "./stand.ts";

describe("a start of which nothing can be at the backend", () => {
  let stand: Stand;
  let first: Replica;
  beforeEach(async () => {
    stand = await Stand.open();
    first = await stand.start({}, {}, ["mock", "other"]);
    stand.world.isSearchDown = true;
  });
  afterEach(() => stand.close());

  it("is searched for nowhere, and the next one begins at once", async () => {
    stand.world.isNothingMade = true;
    await stand.order({ refuses: true });
    assert.equal((await stand.rest("failed")).cause.code, "MOCK_REFUSED");
    const { generation } = await stand.order({}, { profile: "other" });
    assert.equal(generation, 2);
    await stand.rest("ready");
    assert.ok(!stand.world.calls.some((call) => call.startsWith("locate")));
    assert.equal(stand.world.made.length, 1);
  });

  it("is searched for all the same when another call of it may still get through", async () => {
    await stand.order({ submitMs: -1, deaf: true });
    await until("submit under way", () => stand.world.waitingSubmits > 0);
    const { tag } = (await stand.doc()) ?? {};
    await first.crash();
    Object.assign(stand.world, { isSearchDown: false, isNothingMade: true, refusesStarts: true });
    stand.declareDead(first);
    await stand.start();
    const failed = await stand.reachPhase("failed");
    assert.equal(failed.tag, tag);
    assert.ok(failed.submitUntil, "the promise of the second call is not one of the first");
    stand.world.finishSubmits();
    await until(
      "what the first made is stopped",
      () => stand.world.made.length === 1 && stand.world.alive.length === 0,
    );
    await stand.rest("failed");
  });
});

describe("a server of which another call may have made a second", () => {
  it("is not searched for ever where the backend refuses that for good", async () => {
    const stand = await Stand.open();
    try {
      const first = await stand.start();
      await stand.order({ submitMs: -1, deaf: true });
      await until("submit under way", () => stand.world.waitingSubmits === 1);
      await first.crash();
      stand.declareDead(first);
      await stand.start();
      await until("the next submit under way", () => stand.world.waitingSubmits === 2);
      stand.world.finishSubmits();
      const ready = await stand.rest("ready");
      assert.ok(ready.submitUntil, "the first call may still get through");
      stand.world.isSearchRefused = true;
      stand.clock.advance(60);
      const settled = await stand.reach("is searched for no more", ({ submitUntil }) => submitUntil === "");
      assert.equal(settled.phase, "ready");
    } finally {
      await stand.close();
    }
  });
});

describe("a start that may have left something", () => {
  let stand: Stand;
  beforeEach(async () => {
    stand = await Stand.open();
  });
  afterEach(() => stand.close());
  const searches = () => stand.world.calls.filter((call) => call.startsWith("locate")).length;

  it("is searched for with growing pauses, which end when somebody waits, and its server says why", async () => {
    await stand.start({}, { searchMs: { first: 20, longest: 3_600_000 } }, ["mock", "other"]);
    stand.world.isSearchDown = true;
    await stand.order({ refuses: true });
    const lost = await stand.reach("says why", ({ phase, reason }) => phase === "failed" && reason !== "");
    assert.equal(lost.reason, "The mock backend is down.");
    await until("four searches", () => searches() >= 4);
    const before = searches();
    const at = performance.now();
    await until("the next pause", () => searches() > before);
    assert.ok(performance.now() - at > 100, "the fifth comes after 320 ms");
    // From here on the pauses are longer than this test, were it not for who waits.
    await stand.order({}, { profile: "other" });
    const waiting = await stand.doc();
    assert.deepEqual([waiting?.phase, waiting?.desired, waiting?.generation], ["failed", "running", 1]);
    stand.world.isSearchDown = false;
    assert.equal((await stand.rest("ready")).reason, "");
    assert.equal(stand.world.made.length, 1);
  });

  it("that is deleted meanwhile goes when the search is answered; so does its user", async () => {
    await stand.start();
    stand.world.isSearchDown = true;
    await stand.order({ refuses: true });
    await until("searched for", () => searches() > 0);
    await stand.orderStop({ remove: true });
    const purge = () => stand.bus.request(SpawnPurge, { userId: USER._id, actor: "system:auth" });
    assert.equal((await purge()).left, 1);
    stand.world.isSearchDown = false;
    await until("gone", async () => (await stand.doc()) === undefined);
    assert.equal((await purge()).left, 0);
  });

  it("is not there when the backend refuses the search for good, once its time is over", async () => {
    await stand.start();
    stand.world.isSearchRefused = true;
    await stand.order({ submitMs: -1, deaf: true });
    await until("submit under way", () => stand.world.waitingSubmits > 0);
    await stand.orderStop();
    await until("searched for", () => searches() > 1);
    assert.equal((await stand.doc())?.phase, "stopping", "a call may still get through");
    stand.clock.advance(31);
    await stand.rest("stopped");
    const after = searches();
    // The refusal is no silence: the next start begins, and the late one is stopped.
    await stand.order({});
    await stand.rest("ready");
    assert.equal(searches(), after);
  });

  it("is there for all that is known while the backend does not answer, however long", async () => {
    await stand.start();
    stand.world.isSearchDown = true;
    await stand.order({ submitMs: -1, deaf: true });
    await until("submit under way", () => stand.world.waitingSubmits > 0);
    await stand.orderStop();
    stand.clock.advance(3_600);
    const before = searches();
    await until("searched for", () => searches() > before + 2);
    const doc = await stand.doc();
    assert.equal(doc?.phase, "stopping");
    assert.equal(doc?.cause.code, "SPAWN_CANCELLED");
    stand.world.isSearchDown = false;
    await stand.rest("stopped");
  });
});
