import assert from "node:assert/strict";
import { afterEach, beforeEach, describe, it } from "node:test";
import { Stand, until } from "./stand.ts";

describe("a start that fails", () => {
  let stand: Stand;
  beforeEach(async () => {
    stand = await Stand.open();
    await stand.start();
  });
  afterEach(() => stand.close());

  const failed = async (code: string) => {
    const doc = await stand.rest("failed");
    assert.equal(doc.cause.code, code);
    assert.notEqual(doc.cause.message, "");
    assert.notEqual(doc.cause.operator, "");
    assert.equal(doc.desired, "stopped");
    assert.deepEqual(doc.handle, {});
    assert.equal(stand.world.alive.length, 0, "nothing is left at the backend");
    assert.equal(stand.grants.size, 0, "the grant is revoked");
    await stand.told("server.start_failed");
    const { steps } = await stand.attempt();
    assert.equal(steps.at(-1)?.step, "failed");
    assert.equal(steps.at(-1)?.message, doc.cause.message);
    return doc;
  };

  it("speaks in the plugin's words when the plugin refuses", async () => {
    await stand.order({ refuses: true });
    const doc = await failed("MOCK_REFUSED");
    assert.equal(doc.cause.message, "The mock backend refuses you.");
    assert.equal(doc.cause.status, 403, "and with its status");
  });

  it("keeps the last 50 lines of a server that ends at once", async () => {
    await stand.order({ endsAtOnce: true });
    const doc = await failed("SPAWN_ENDED");
    assert.match(doc.cause.message, /Exit code 3/);
    const { tail } = await stand.attempt();
    assert.equal(tail.length, 50);
    assert.equal(tail.at(-1), "Error: no such module");
  });

  it("is told in the plugin's words when the end has a code of the plugin", async () => {
    await stand.order({ homeless: true });
    const doc = await stand.reach("has a handle", ({ handleAt }) => handleAt !== "");
    stand.world.end(doc.tag, { code: "MOCK_KILLED" });
    const { cause } = await failed("MOCK_KILLED");
    assert.match(cause.message, /too much memory/);
    assert.equal(cause.status, 500);
  });

  it("is told by auth's words when auth refuses the grant", async () => {
    stand.refusal = "USER_DELETING";
    await stand.order();
    await failed("USER_DELETING");
    assert.equal(stand.world.made.length, 0);
  });

  it("ends at the submit clock, and stops what the late call made after all", async () => {
    await stand.order({ submitMs: -1, deaf: true });
    await until("submit under way", () => stand.world.waitingSubmits > 0);
    stand.clock.advance(31);
    await stand.reachPhase("failed");
    stand.world.finishSubmits();
    await until("late job was made", () => stand.world.made.length === 1);
    await until("late job is stopped", () => stand.world.alive.length === 0);
    await failed("SPAWN_SUBMIT_TIMEOUT");
  });

  it("ends at the boot clock when no address is ever known", async () => {
    await stand.order({ homeless: true });
    await stand.reachPhase("starting");
    stand.clock.advance(61);
    await failed("SPAWN_BOOT_TIMEOUT");
  });

  it("ends at the HTTP clock when the address never answers below 500", async () => {
    await stand.order({ sick: true });
    await stand.reach("has an address", ({ url }) => url !== "");
    stand.clock.advance(31);
    await failed("SPAWN_HTTP_TIMEOUT");
    assert.deepEqual(stand.world.cleaned.length, 1);
  });

  it("has no clock while it is queued", async () => {
    await stand.order({ queues: true });
    const queued = await stand.reachPhase("queued");
    assert.equal(queued.deadlineAt, "");
    stand.clock.advance(86_400);
    await until("looked at since", () => stand.world.observed > 10);
    assert.equal((await stand.doc())?.phase, "queued");
    const { steps } = await stand.attempt();
    assert.ok(steps.some(({ step, message }) => step === "queued" && message.includes("Priority")));
    await stand.world.allocate(queued.tag);
    await stand.rest("ready");
  });

  it("can be started again, as another generation with another tag", async () => {
    await stand.order({ endsAtOnce: true });
    const first = await stand.rest("failed");
    const { generation } = await stand.order({});
    assert.equal(generation, 2);
    const second = await stand.rest("ready");
    assert.notEqual(second.tag, first.tag);
    assert.equal(second.cause.code, "");
  });

  it("repeats a stop that does not end, and says so", async () => {
    await stand.order({ ignoresStop: true });
    const { tag } = await stand.rest("ready");
    await stand.orderStop();
    await until("stop was asked", () => stand.world.jobs.get(tag)?.stops === 1);
    assert.equal((await stand.doc())?.routed, false, "nobody is sent to a server that stops");
    stand.clock.advance(61);
    const late = await stand.reach("is told late", ({ cause }) => cause.code === "SPAWN_STOP_TIMEOUT");
    assert.equal(late.phase, "stopping");
    await until("stop was repeated", () => stand.world.jobs.get(tag)?.stops === 2);
    stand.world.end(tag);
    const stopped = await stand.rest("stopped");
    assert.equal(stopped.cause.code, "");
  });

  it("tells of a server that ends by itself, with its last lines", async () => {
    await stand.order();
    const { tag } = await stand.rest("ready");
    stand.world.end(tag, { signal: "SIGKILL" });
    const doc = await stand.rest("stopped");
    assert.equal(doc.cause.code, "SERVER_ENDED");
    assert.match(doc.cause.message, /SIGKILL/);
    assert.equal(doc.routed, false);
    assert.equal(doc.desired, "stopped");
    assert.equal((await stand.attempt()).tail.length, 50);
    assert.equal(stand.grants.size, 0);
    await stand.told("server.stopped");
  });
});
