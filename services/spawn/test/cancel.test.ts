import assert from "node:assert/strict";
import { afterEach, beforeEach, describe, it } from "node:test";
import { Stand, until } from "./stand.ts";

describe("a cancel", () => {
  let stand: Stand;
  beforeEach(async () => {
    stand = await Stand.open();
    await stand.start();
  });
  afterEach(() => stand.close());

  const cancelled = async () => {
    const doc = await stand.rest("stopped");
    assert.equal(doc.cause.code, "SPAWN_CANCELLED");
    assert.equal(stand.world.alive.length, 0, "nothing is left at the backend");
    assert.equal(stand.grants.size, 0, "the grant is revoked");
    return doc;
  };

  it("ends a start that waits for its grant", async () => {
    stand.refusal = "STORE_AWAY";
    await stand.order();
    await stand.reach("waits for its grant", ({ clockLeftMs = 0 }) => clockLeftMs > 0);
    await stand.orderStop();
    await cancelled();
    assert.equal(stand.world.made.length, 0);
  });

  it("aborts a submit that listens", async () => {
    await stand.order({ submitMs: 60_000 });
    await until("submit called", () => stand.world.calls.some((call) => call.startsWith("start")));
    await stand.orderStop();
    await cancelled();
    assert.equal(stand.world.made.length, 0);
  });

  it("stops what a submit made that did not listen", async () => {
    await stand.order({ submitMs: -1, deaf: true });
    await until("submit under way", () => stand.world.waitingSubmits > 0);
    await stand.orderStop();
    await stand.reach("is stopping", ({ phase }) => phase === "stopping");
    stand.world.finishSubmits();
    await cancelled();
    assert.equal(stand.world.made.length, 1);
  });

  it("does not wait longer than the submit clock for a call that never ends", async () => {
    await stand.order({ submitMs: -1, deaf: true });
    await until("submit under way", () => stand.world.waitingSubmits > 0);
    await stand.orderStop();
    await until("searched by tag", () => stand.world.calls.some((call) => call.startsWith("locate")));
    assert.equal((await stand.doc())?.phase, "stopping");
    stand.clock.advance(31);
    await cancelled();
    // When it ends after all, its job is stopped, though the server rests.
    stand.world.finishSubmits();
    await until("late job was made", () => stand.world.made.length === 1);
    await until("late job is stopped", () => stand.world.alive.length === 0);
  });

  it("ends a queued server", async () => {
    await stand.order({ queues: true });
    await stand.reachPhase("queued");
    await stand.orderStop();
    await cancelled();
  });

  it("ends a server that has no address yet", async () => {
    await stand.order({ homeless: true });
    await stand.reachPhase("starting");
    await stand.orderStop();
    await cancelled();
  });

  it("ends a server that does not answer yet", async () => {
    await stand.order({ sick: true });
    await stand.reach("has an address", ({ url }) => url !== "");
    await stand.orderStop();
    await cancelled();
  });

  it("ends a server while nobody answers for it, as soon as somebody does", async () => {
    await stand.order({ homeless: true });
    await stand.reachPhase("starting");
    stand.world.isDown = true;
    await stand.reachPhase("unknown");
    await stand.orderStop();
    await stand.reach(
      "is unknown, stopping",
      (doc) => doc.phase === "unknown" && doc.phaseBefore === "stopping",
    );
    stand.world.isDown = false;
    await cancelled();
  });

  it("of the stop lets the next start wait, and then begin", async () => {
    await stand.order({ ignoresStop: true });
    const { tag } = await stand.rest("ready");
    await stand.orderStop();
    await stand.reachPhase("stopping");
    const { generation } = await stand.order({});
    assert.equal(generation, 2);
    const waiting = await stand.doc();
    assert.equal(waiting?.phase, "stopping");
    assert.equal(waiting?.desired, "running");
    assert.equal(stand.world.made.length, 1, "the second does not begin before the first is gone");
    stand.world.end(tag);
    const ready = await stand.rest("ready");
    assert.equal(ready.generation, 2);
    assert.equal(stand.world.alive.length, 1);
    await stand.told(
      "server.requested",
      "server.starting",
      "server.ready",
      "server.stop_requested",
      "server.start_deferred",
      "server.stopped",
      "server.requested",
      "server.starting",
      "server.ready",
    );
  });

  it("of a waiting start leaves the server stopped", async () => {
    await stand.order({ ignoresStop: true });
    const { tag } = await stand.rest("ready");
    await stand.orderStop();
    await stand.order({});
    await stand.orderStop();
    stand.world.end(tag);
    const doc = await stand.rest("stopped");
    assert.equal(doc.generation, 1);
  });
});
