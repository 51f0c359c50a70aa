import assert from "node:assert/strict";
import { afterEach, beforeEach, describe, it } from "node:test";
import { digest } from "@elara/runtime/id";
import { type Replica, Stand, until } from "./stand.ts";

describe("another instance takes over", () => {
  let stand: Stand;
  let first: Replica;
  beforeEach(async () => {
    stand = await Stand.open();
    first = await stand.start();
  });
  afterEach(() => stand.close());

  /** The first dies, the second has been there, the others notice only now. */
  const takeOver = async () => {
    await first.crash();
    await stand.start();
    stand.declareDead(first);
  };
  const isOneServer = () => {
    assert.equal(stand.world.made.length, 1, "one job was made");
    assert.equal(stand.world.alive.length, 1, "one job is alive");
  };
  /** The server that is there has a token that was granted for its generation and is not revoked. */
  const isUsable = async () => {
    const doc = await stand.doc();
    const granted = stand.tokens.get(`${doc?._id}.${doc?.generation}`);
    const [job] = stand.world.alive;
    assert.ok(granted?.has(digest(job?.env.JUPYTERHUB_API_TOKEN ?? "")), "its token is valid");
  };

  it("and starts a server that was only in the ledger", async () => {
    stand.refusal = "STORE_AWAY";
    await stand.order();
    await stand.reach("waits for its grant", ({ clockLeftMs = 0 }) => clockLeftMs > 0);
    await takeOver();
    stand.refusal = "";
    await stand.rest("ready");
    isOneServer();
  });

  it("and finds by its tag what was submitted and not heard of", async () => {
    await stand.order({ submitMs: -1, deaf: true });
    await until("submit under way", () => stand.world.waitingSubmits > 0);
    await first.crash();
    stand.world.finishSubmits();
    await until("job was made", () => stand.world.made.length === 1);
    await takeOver();
    await stand.rest("ready");
    isOneServer();
    await isUsable();
    assert.equal(stand.world.calls.filter((call) => call.startsWith("start")).length, 1);
  });

  it("and stops the second server that an old call makes later", async () => {
    await stand.order({ submitMs: -1, deaf: true });
    await until("submit under way", () => stand.world.waitingSubmits > 0);
    await takeOver();
    await until("second submit under way", () => stand.world.waitingSubmits > 1);
    stand.world.finishSubmits();
    const { tag, submitUntil } = await stand.rest("ready");
    assert.notEqual(submitUntil ?? "", "", "the old call may still get through");
    const twin = stand.world.makeTwin(tag);
    const found = () => stand.world.calls.filter((call) => call === `locate ${tag}`).length;
    const before = found();
    stand.clock.advance(31);
    await until("searched again", () => found() > before);
    await until("twin is stopped", () => twin.state === "ended");
    await stand.reach("is asked no more", (doc) => doc.submitUntil === "");
    assert.equal((await stand.doc())?.phase, "ready");
    assert.equal(stand.world.alive.length, 1);
  });

  it("and leaves the one server alone when the old call's time is over", async () => {
    await stand.order({ submitMs: -1, deaf: true });
    await until("submit under way", () => stand.world.waitingSubmits > 0);
    await takeOver();
    await until("second submit under way", () => stand.world.waitingSubmits > 1);
    stand.world.finishSubmits();
    await stand.rest("ready");
    stand.clock.advance(31);
    await stand.reach("is asked no more", (doc) => doc.submitUntil === "");
    isOneServer();
    assert.equal(new Set(stand.world.tokens).size, 2, "each start has a token of its own");
    await isUsable();
    assert.equal((await stand.doc())?.phase, "ready");
  });

  it("and knows the one server again by its address when its handle reads otherwise", async () => {
    await stand.order({ submitMs: -1, deaf: true });
    await until("submit under way", () => stand.world.waitingSubmits > 0);
    await takeOver();
    await until("second submit under way", () => stand.world.waitingSubmits > 1);
    stand.world.finishSubmits();
    const { tag } = await stand.rest("ready");
    const twin = stand.world.makeTwin(tag);
    twin.url = (await stand.doc())?.url ?? "";
    stand.clock.advance(31);
    await stand.reach("is asked no more", (doc) => doc.submitUntil === "");
    assert.equal(twin.state, "running");
    assert.ok(!stand.world.calls.includes(`stop ${tag}`));
  });

  it("and brings a booting server to ready, giving it time of its own", async () => {
    await stand.order({ queues: true });
    const { tag } = await stand.reachPhase("queued");
    await first.crash();
    await stand.world.allocate(tag);
    // Nobody drove for longer than any clock.
    stand.clock.advance(600);
    await takeOver();
    await stand.rest("ready");
    isOneServer();
  });

  it("does not end a server whose boot clock ran out while nobody drove", async () => {
    await stand.order({ homeless: true });
    await stand.reachPhase("starting");
    await first.crash();
    stand.clock.advance(600);
    await takeOver();
    const taken = await stand.reach("has another driver", ({ driver }) => driver.instance === "i2");
    assert.equal(taken.phase, "starting");
    assert.ok(Date.parse(taken.deadlineAt) > stand.clock.now());
  });

  it("and ends a stop that was under way", async () => {
    await stand.order({ ignoresStop: true });
    const { tag } = await stand.rest("ready");
    await stand.orderStop();
    await until("stop was asked", () => stand.world.jobs.get(tag)?.stops === 1);
    await takeOver();
    await until("stop was asked again", () => stand.world.jobs.get(tag)?.stops === 2);
    stand.world.end(tag);
    await stand.rest("stopped");
    assert.equal(stand.grants.size, 0);
  });

  it("and tidies up after a start that failed", async () => {
    await stand.order({ ignoresStop: true, homeless: true });
    const { tag } = await stand.reachPhase("starting");
    stand.clock.advance(61);
    await stand.reachPhase("failed");
    await takeOver();
    stand.world.end(tag);
    await stand.rest("failed");
    assert.equal(stand.grants.size, 0);
    assert.deepEqual(stand.world.cleaned, [tag]);
  });

  it("only when the first is dead: two living instances make one server", async () => {
    await stand.start();
    await stand.order({ submitMs: 300 });
    await stand.rest("ready");
    isOneServer();
    assert.equal(stand.world.calls.filter((call) => call.startsWith("start")).length, 1);
  });

  it("at once when the first closes and hands over, and no server is touched", async () => {
    await stand.start();
    await stand.order({ homeless: true });
    const { driver } = await stand.reachPhase("starting");
    assert.notEqual(driver.instance, "");
    await first.close();
    const taken = await stand.reach("has another driver", (doc) => doc.driver.instance === "i2");
    assert.equal(taken.phase, "starting");
    assert.equal(stand.world.alive.length, 1);
    assert.ok(!stand.world.calls.some((call) => call.startsWith("stop")));
  });

  it("of a closing one that waits for its submit, which is then stored", async () => {
    await stand.order({ submitMs: 200 });
    await until("submit called", () => stand.world.calls.some((call) => call.startsWith("start")));
    await first.close();
    const doc = await stand.doc();
    assert.equal(doc?.phase, "starting");
    assert.deepEqual(doc?.driver, { instance: "", epoch: 0 });
    await stand.start();
    await stand.rest("ready");
    isOneServer();
  });

  for (const how of ["was fenced", "lives, and was taken for dead"]) {
    const submitsSlowly = async () => {
      await stand.order({ submitMs: -1, makesFirst: true });
      await until("submit under way", () => stand.world.waitingSubmits > 0);
      first.setFenced(how === "was fenced");
      const second = await stand.start();
      stand.declareDead(first);
      await stand.reach("has another driver", ({ driver }) => driver.instance === second.id);
    };

    it(`and keeps the server whose submit is still under way at one that ${how}`, async () => {
      await submitsSlowly();
      await stand.rest("ready");
      // The first has had time for many looks; then its call ends.
      await new Promise((resolve) => setTimeout(resolve, 200));
      stand.world.finishSubmits();
      await until("late submit was heard", () => stand.world.waitingSubmits === 0);
      await new Promise((resolve) => setTimeout(resolve, 200));
      assert.deepEqual(stand.world.aborted, []);
      assert.ok(!stand.world.calls.some((call) => call.startsWith("stop")));
      isOneServer();
      await isUsable();
      assert.equal((await stand.doc())?.phase, "ready");
    });

    it(`and a cancel ends the submit that is still under way at one that ${how}`, async () => {
      await submitsSlowly();
      await stand.orderStop();
      await until("the old call was aborted", () => stand.world.aborted.includes("start"));
      await stand.rest("stopped");
      stand.world.finishSubmits();
      assert.equal(stand.world.alive.length, 0);
    });
  }

  it("and the fenced one makes no backend call any more", async () => {
    await stand.order({ submitMs: 60_000 });
    await until("submit called", () => stand.world.calls.some((call) => call.startsWith("start")));
    first.setFenced(true);
    const calls = stand.world.calls.length;
    await stand.start();
    stand.declareDead(first);
    await stand.reach("has another driver", (doc) => doc.driver.instance === "i2");
    await until("second submit called", () => stand.world.calls.length > calls);
    assert.equal(stand.world.alive.length, 0);
    await stand.orderStop();
    await stand.reachPhase("stopping");
    // The first one's call counts as under way until its time is over.
    stand.clock.advance(31);
    await stand.rest("stopped");
    assert.equal(stand.world.made.length, 0);
  });
});
