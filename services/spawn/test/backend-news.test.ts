import assert from "node:assert/strict";
import { afterEach, beforeEach, describe, it } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { ERRORS, ServerChanged } from "@elara/contracts";
import { Stand, until } from "./stand.ts";

let stand: Stand;
beforeEach(async () => {
  stand = await Stand.open();
});
afterEach(() => stand.close());

describe("a submit that tells steps", () => {
  it("is not cut off while it goes on, and is when it falls silent", async () => {
    await stand.start({ submitSeconds: 30 });
    await stand.order({ submitMs: -1 });
    await until("submit under way", () => stand.world.waitingSubmits > 0);
    for (let part = 1; part <= 5; part++) {
      stand.clock.advance(20);
      stand.world.tellers.at(-1)?.(`layer ${part}`);
      await stand.reach(`has time after ${part}`, ({ deadlineAt, submitUntil = "" }) => {
        const left = Date.parse(deadlineAt) - stand.clock.now();
        return left > 25_000 && submitUntil >= deadlineAt;
      });
    }
    assert.equal((await stand.doc())?.phase, "requested");
    const { steps } = await stand.attempt();
    assert.equal(steps.filter(({ step }) => step === "pulling").length, 5);
    stand.clock.advance(31);
    assert.equal((await stand.rest("failed")).cause.code, "SPAWN_SUBMIT_TIMEOUT");
    stand.world.tellers.at(-1)?.("too late");
    await sleep(50);
    assert.equal((await stand.doc())?.deadlineAt, "", "a word after its end changes nothing");
  });

  it("writes to the ledger at most every few seconds", async () => {
    await stand.start();
    await stand.order({ submitMs: -1 });
    await until("submit under way", () => stand.world.waitingSubmits > 0);
    const before = await stand.doc();
    for (let part = 1; part <= 20; part++) stand.world.tellers.at(-1)?.(`layer ${part}`);
    await until("all told", async () => (await stand.attempt()).names.length >= 22);
    assert.equal((await stand.doc())?.rev, before?.rev);
  });
});

describe("what a backend says of a server", () => {
  const job = async () => {
    const doc = await stand.doc();
    const found = stand.world.jobs.get(doc?.tag ?? "");
    assert.ok(found);
    return found;
  };
  const says = (reason: string) => stand.reach(`says "${reason}"`, (doc) => doc.reason === reason);

  it("stands with it while it waits, and goes when it starts", async () => {
    await stand.start();
    await stand.order({ queues: true });
    assert.equal((await stand.reachPhase("queued")).reason, "Priority");
    const waiting = await job();
    Object.assign(waiting, { state: "held", reason: "JobHeldAdmin" });
    stand.clock.advance(11);
    await says("Held in the queue: JobHeldAdmin");
    Object.assign(waiting, { state: "suspended", reason: "" });
    stand.clock.advance(11);
    await says("Suspended");
    const { tail, ...seen } = await stand.attempt();
    assert.deepEqual(
      seen.steps.filter(({ step }) => step === "queued").map(({ message }) => message),
      ["Waiting in the queue: Priority", "Held in the queue: JobHeldAdmin", "Suspended"],
    );
    delete waiting.reason;
    await stand.world.allocate(waiting.tag);
    assert.equal((await stand.rest("ready")).reason, "");
  });

  it("is not written each time it changes", async () => {
    await stand.start();
    await stand.order({ queues: true });
    await stand.reachPhase("queued");
    const waiting = await job();
    const before = (await stand.doc())?.rev;
    for (let minute = 1; minute <= 5; minute++) {
      waiting.reason = `Resources, ${minute} min`;
      const looks = stand.world.observed;
      await until("seen", () => stand.world.observed > looks + 1);
    }
    assert.equal((await stand.doc())?.rev, before);
    stand.clock.advance(11);
    await says("Resources, 5 min");
  });

  it("queued again while it comes up, it waits without a clock and forgets its address", async () => {
    await stand.start();
    await stand.order({ sick: true });
    await stand.reach("has an address", ({ phase, url }) => phase === "starting" && url !== "");
    const requeued = await job();
    requeued.state = "queued";
    const queued = await stand.reachPhase("queued");
    assert.deepEqual([queued.deadlineAt, queued.reason], ["", "Priority"]);
    requeued.state = "starting";
    requeued.url = "";
    const { url } = await stand.reachPhase("starting");
    assert.equal(url, "");
  });

  it("tells its owner why it is unknown: in words of ours, or the plugin's", async () => {
    await stand.start();
    await stand.order();
    await stand.rest("ready");
    stand.world.isDown = true;
    assert.equal((await stand.reachPhase("unknown")).reason, "The mock backend is down.");
    stand.world.isDown = false;
    assert.equal((await stand.reachPhase("ready")).reason, "");
    const seen = await job();
    seen.state = "unknown";
    assert.equal((await stand.reachPhase("unknown")).reason, ERRORS.SPAWN_BACKEND_AWAY.user);
    seen.reason = "The host shows another key than before.";
    stand.clock.advance(11);
    await says("The host shows another key than before.");
    assert.equal(stand.eventTypes().filter((type) => type === "server.unknown").length, 2, "told once each");
  });

  it("may be another address of a ready server: the route goes there", async () => {
    await stand.start();
    await stand.order();
    const before = await stand.rest("ready");
    const told: string[] = [];
    stand.bus.subscribe(ServerChanged, ({ routed, url }) => void told.push(`${routed} ${url}`));
    const moved = await job();
    moved.url = "http://127.0.0.1:9";
    const after = await stand.reach("moved", ({ url }) => url === "http://127.0.0.1:9");
    assert.equal(after.phase, "ready");
    assert.equal(after.routed, true);
    assert.ok(after.changedAt > before.changedAt, "proxies read what changed lately");
    await until("proxies are told", () => told.includes("true http://127.0.0.1:9"));
  });

  it("may be when its time is over, however the time is written", async () => {
    await stand.start();
    await stand.order({ queues: true });
    await stand.reachPhase("queued");
    const running = await job();
    running.endsAt = "2026-11-22T13:00:00+01:00";
    await stand.world.allocate(running.tag);
    assert.equal((await stand.rest("ready")).endsAt, "2026-11-22T12:00:00.000Z");
    running.endsAt = "in a while";
    const looks = stand.world.observed;
    await until("seen", () => stand.world.observed > looks + 2);
    assert.equal((await stand.doc())?.endsAt, "2026-11-22T12:00:00.000Z");
  });
});

describe("a slow backend", () => {
  it("is left alone for five times as long as a look takes", async () => {
    stand.world.looksTakeMs = 60;
    await stand.start();
    await stand.order({ queues: true });
    await stand.reachPhase("queued");
    const [first = 0] = stand.world.lookedAt.slice(-1);
    await until("three more looks", () => stand.world.lookedAt.filter((at) => at > first).length >= 3);
    const times = stand.world.lookedAt.filter((at) => at >= first);
    for (const [index, at] of times.slice(1).entries())
      assert.ok(at - (times[index] ?? 0) >= 290, `looks ${times.join(", ")}`);
  });

  it("is asked for those that somebody waits for after a short rest", async () => {
    await stand.start({}, { waitedRestMs: 20 });
    await stand.order();
    const { tag: resting } = await stand.rest("ready");
    await stand.order({ queues: true }, { serverName: "lab2" });
    const { tag: waiting } = await stand.reachPhase("queued", "lab2");
    stand.world.looksTakeMs = 100;
    const from = stand.world.lookedAt.length + 1;
    const looks = () =>
      stand.world.looks.slice(from).map((tags, index) => ({
        at: stand.world.lookedAt[from + index] ?? 0,
        isAll: tags.includes(resting),
      }));
    await until("three looks at all", () => looks().filter(({ isAll }) => isAll).length >= 3);
    const all = looks().filter(({ isAll }) => isAll);
    for (const [index, { at }] of all.slice(1).entries())
      assert.ok(at - (all[index]?.at ?? 0) >= 480, "all are looked at after five times as long");
    const between = looks().filter(({ at, isAll }) => !isAll && at < (all.at(-1)?.at ?? 0));
    assert.ok(between.length >= 4, `${between.length} looks between at the one that moves`);
    assert.ok(stand.world.looks.at(-1)?.includes(waiting));
  });

  it("that hangs does not hold up the servers of another one", async () => {
    stand.world.holds = "observe";
    stand.world.holdsOnly = "slow";
    await stand.start({}, { observeTimeoutMs: 60_000 }, [
      { name: "slow", options: { fixed: "slow" } },
      { name: "quick" },
    ]);
    await stand.order({}, { serverName: "lab1", profile: "slow" });
    await until("hangs", () => stand.world.observed > 0);
    await stand.order({}, { serverName: "lab2", profile: "quick" });
    await stand.rest("ready", "lab2");
    assert.equal((await stand.doc("lab1"))?.phase, "starting");
    stand.world.letGo();
    await stand.rest("ready", "lab1");
  });

  it("gives the last lines after the message of a failure", async () => {
    stand.world.holds = "logs";
    await stand.start({}, { logsWaitMs: 50, logsTimeoutMs: 60_000 });
    await stand.order({ endsAtOnce: true });
    await stand.rest("failed");
    assert.deepEqual((await stand.attempt()).tail, []);
    stand.world.letGo();
    await until("lines kept", async () => (await stand.attempt()).tail.length > 0);
  });
});
