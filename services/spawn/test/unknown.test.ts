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

  it("is gone whatever the clock of its driver and the backend's say", async () => {
    await stand.order();
    const { tag, _id } = await stand.rest("ready");
    const doc = await stand.servers.get(_id);
    assert.ok(doc);
    const handleAt = new Date(stand.clock.now() + 3_600_000).toISOString();
    await stand.servers.patch(_id, doc.rev, { set: { handleAt } });
    stand.world.lose(tag);
    await stand.rest("stopped");
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

describe("a look", () => {
  let stand: Stand;
  beforeEach(async () => {
    stand = await Stand.open();
  });
  afterEach(() => stand.close());
  const hour = { moving: 20, resting: 3_600_000 };
  /** One ready server and one that waits. */
  const two = async () => {
    await stand.order();
    const ready = await stand.rest("ready");
    await stand.order({ queues: true }, { serverName: "lab2" });
    const waiting = await stand.reachPhase("queued", "lab2");
    return { ready: ready.tag, waiting: waiting.tag };
  };
  const looks = async (times: number) => {
    const before = stand.world.looks.length;
    await until(`${times} more looks`, () => stand.world.looks.length >= before + times);
    return stand.world.looks.slice(before);
  };

  it("at the pace of what moves asks for that only", async () => {
    stand.world.observeMs = hour;
    await stand.start();
    const { waiting } = await two();
    for (const tags of await looks(5)) assert.deepEqual(tags, [waiting]);
  });

  it("at a part counts no absence, and asks for all soon", async () => {
    stand.world.observeMs = hour;
    await stand.start();
    const { waiting } = await two();
    stand.world.lose(waiting);
    await looks(5);
    assert.ok(!stand.world.calls.includes(`locate ${waiting}`));
    assert.equal((await stand.doc("lab2"))?.phase, "queued");
    stand.clock.advance(2);
    await looks(3);
    assert.ok(!stand.world.calls.includes(`locate ${waiting}`), "one complete look is not enough");
    stand.clock.advance(2);
    await stand.rest("failed", "lab2");
  });

  it("asks again soon for one of which nobody could speak, and for no other", async () => {
    stand.world.observeMs = hour;
    await stand.start();
    const { ready, waiting } = await two();
    const job = stand.world.jobs.get(ready);
    assert.ok(job);
    job.state = "unknown";
    stand.clock.advance(3_600);
    await stand.reachPhase("unknown");
    for (const tags of await looks(5)) assert.deepEqual(tags, [waiting]);
    job.state = "running";
    stand.clock.advance(2);
    await stand.reachPhase("ready");
  });

  it("is not held up by a search, and there is one search for one server", async () => {
    await stand.start({}, { observeTimeoutMs: 60_000 });
    const { ready, waiting } = await two();
    stand.world.holds = "locate";
    stand.world.lose(ready);
    const searched = () => stand.world.calls.filter((call) => call === `locate ${ready}`).length;
    await until("searched", () => searched() > 0);
    await stand.world.allocate(waiting);
    await stand.rest("ready", "lab2");
    await looks(5);
    assert.equal(searched(), 1);
    assert.equal((await stand.doc())?.phase, "ready");
  });

  it("that shows a server again overrules its search", async () => {
    await stand.start({}, { observeTimeoutMs: 200 });
    await stand.order();
    const { tag } = await stand.rest("ready");
    stand.world.holds = "locate";
    stand.world.hidden.add(tag);
    await until("searched", () => stand.world.calls.includes(`locate ${tag}`));
    stand.world.hidden.delete(tag);
    await until("search given up", () => stand.world.aborted.includes("locate"));
    await looks(3);
    assert.ok(!stand.eventTypes().includes("server.unknown"));
  });

  for (const kind of ["observe", "locate"] as const)
    it(`ends with the fence, ${kind} too, and says nothing about the servers`, async () => {
      const replica = await stand.start({}, { observeTimeoutMs: 60_000 });
      await stand.order();
      const { tag } = await stand.rest("ready");
      stand.world.holds = kind;
      stand.world.hidden.add(tag);
      const before = stand.world.looks.length;
      await until("asked", () =>
        kind === "locate" ? stand.world.calls.includes(`locate ${tag}`) : stand.world.looks.length > before,
      );
      replica.setFenced(true);
      await until("given up", () => stand.world.aborted.includes(kind));
      stand.world.holds = "";
      const asked = stand.world.looks.length;
      stand.world.hidden.delete(tag);
      replica.setFenced(false);
      await until("asked again", () => stand.world.looks.length > asked + 2);
      assert.ok(!stand.eventTypes().includes("server.unknown"));
      assert.equal((await stand.doc())?.phase, "ready");
    });
});
