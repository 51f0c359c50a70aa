import assert from "node:assert/strict";
import { afterEach, beforeEach, describe, it } from "node:test";
import { Stand, until } from "./stand.ts";

describe("a backend that does not answer", () => {
  let stand: Stand;
  beforeEach(async () => {
    stand = await Stand.open();
    await stand.start();
  });
  afterEach(() => stand.close());
  const looks = async (times: number) => {
    const before = stand.world.observed;
    await until(`${times} more looks`, () => stand.world.observed >= before + times);
  };

  it("makes a ready server unknown, keeps its route for any time, and finds it again", async () => {
    await stand.order();
    const ready = await stand.rest("ready");
    stand.world.isDown = true;
    const unknown = await stand.reachPhase("unknown");
    assert.equal(unknown.phaseBefore, "ready");
    assert.equal(unknown.routed, true);
    assert.equal(unknown.url, ready.url);
    stand.clock.advance(86_400);
    await looks(3);
    assert.equal((await stand.doc())?.phase, "unknown");
    stand.world.isDown = false;
    const found = await stand.reachPhase("ready");
    assert.equal(found.phaseBefore, "");
    assert.equal(found.url, ready.url);
    await stand.told("server.unknown", "server.found");
    assert.equal(stand.world.alive.length, 1);
  });

  it("freezes the clock of a starting server and gives back what was left", async () => {
    await stand.order({ homeless: true });
    await stand.reachPhase("starting");
    stand.clock.advance(40);
    stand.world.isDown = true;
    const unknown = await stand.reachPhase("unknown");
    assert.equal(unknown.deadlineAt, "");
    const left = unknown.clockLeftMs ?? 0;
    assert.ok(left > 15_000 && left <= 20_000, `left ${left}`);
    stand.clock.advance(600);
    await looks(3);
    stand.world.isDown = false;
    const found = await stand.reachPhase("starting");
    const now = Date.parse(found.deadlineAt) - stand.clock.now();
    assert.ok(now > 15_000 && now <= 20_000, `left ${now}`);
    stand.clock.advance(21);
    await stand.rest("failed");
    assert.equal((await stand.doc())?.cause.code, "SPAWN_BOOT_TIMEOUT");
  });

  it("does not hide that the server ended meanwhile", async () => {
    await stand.order();
    const { tag } = await stand.rest("ready");
    stand.world.isDown = true;
    await stand.reachPhase("unknown");
    stand.world.end(tag, { exitCode: 137 });
    stand.world.isDown = false;
    const doc = await stand.rest("stopped");
    assert.equal(doc.cause.code, "SERVER_ENDED");
  });

  it("may speak of one server only", async () => {
    await stand.order();
    const { tag } = await stand.rest("ready");
    const job = stand.world.jobs.get(tag);
    assert.ok(job);
    job.state = "unknown";
    await stand.reachPhase("unknown");
    job.state = "running";
    await stand.reachPhase("ready");
  });
});

describe("a server that is absent from an observation", () => {
  let stand: Stand;
  beforeEach(async () => {
    stand = await Stand.open();
    await stand.start();
  });
  afterEach(() => stand.close());
  const looks = async (times: number) => {
    const before = stand.world.observed;
    await until(`${times} more looks`, () => stand.world.observed >= before + times);
  };

  it("is kept as long as no observation is complete", async () => {
    await stand.order();
    const { tag } = await stand.rest("ready");
    stand.world.isIncomplete = true;
    stand.world.hidden.add(tag);
    stand.world.unfindable.add(tag);
    await looks(5);
    assert.equal((await stand.doc())?.phase, "ready");
  });

  it("is kept when its tag finds it", async () => {
    await stand.order();
    const { tag } = await stand.rest("ready");
    stand.world.hidden.add(tag);
    await until("searched by its tag", () => stand.world.calls.includes(`locate ${tag}`));
    await looks(4);
    assert.equal((await stand.doc())?.phase, "ready");
    assert.equal(stand.world.alive.length, 1);
  });

  it("is kept when a complete observation shows it again in between", async () => {
    await stand.order();
    const { tag } = await stand.rest("ready");
    stand.world.unfindable.add(tag);
    for (let round = 0; round < 4; round++) {
      stand.world.hidden.add(tag);
      await looks(1);
      stand.world.hidden.delete(tag);
      await looks(2);
    }
    assert.ok(!stand.world.calls.includes(`locate ${tag}`));
    assert.equal((await stand.doc())?.phase, "ready");
  });

  it("is kept when its handle is newer than the observation", async () => {
    await stand.order();
    const { tag, _id } = await stand.rest("ready");
    const doc = await stand.servers.get(_id);
    assert.ok(doc);
    const handleAt = new Date(stand.clock.now() + 3_600_000).toISOString();
    await stand.servers.patch(_id, doc.rev, { set: { handleAt } });
    stand.world.hidden.add(tag);
    stand.world.unfindable.add(tag);
    await looks(5);
    assert.equal((await stand.doc())?.phase, "ready");
  });

  it("is gone when two complete observations and its tag say so", async () => {
    await stand.order();
    const { tag } = await stand.rest("ready");
    stand.world.lose(tag);
    const doc = await stand.rest("stopped");
    assert.equal(doc.cause.code, "SERVER_ENDED");
    assert.ok(stand.world.calls.includes(`locate ${tag}`));
  });

  it("is failed when it was starting", async () => {
    await stand.order({ homeless: true });
    const { tag } = await stand.reachPhase("starting");
    stand.world.lose(tag);
    assert.equal((await stand.rest("failed")).cause.code, "SPAWN_ENDED");
  });

  it("is unknown when its tag cannot be searched for", async () => {
    await stand.order();
    const { tag } = await stand.rest("ready");
    stand.world.hidden.add(tag);
    stand.world.isSearchDown = true;
    const doc = await stand.reachPhase("unknown");
    assert.equal(doc.routed, true);
    stand.world.isSearchDown = false;
    stand.world.hidden.delete(tag);
    await stand.reachPhase("ready");
  });
});
