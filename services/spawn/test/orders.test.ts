import assert from "node:assert/strict";
import { afterEach, beforeEach, describe, it } from "node:test";
import { codeOf, SpawnCreate, SpawnCull, SpawnPurge, users } from "@elara/contracts";
import { newId } from "@elara/runtime/id";
import { Stand, USER, until } from "./stand.ts";

const refused = (code: string) => (error: unknown) => {
  assert.equal(codeOf(error), code);
  return true;
};

describe("an order", () => {
  let stand: Stand;
  beforeEach(async () => {
    stand = await Stand.open();
    await stand.start();
  });
  afterEach(() => stand.close());

  it("that comes again is answered and not done again", async () => {
    const orderId = newId();
    const answer = await stand.order({}, { orderId });
    await stand.rest("ready");
    await stand.orderStop();
    await stand.rest("stopped");
    assert.deepEqual(await stand.order({}, { orderId }), answer);
    assert.equal((await stand.doc())?.phase, "stopped");
    assert.equal(stand.world.made.length, 1);
  });

  it("to stop that comes again does not stop the next server", async () => {
    await stand.order();
    await stand.rest("ready");
    const orderId = newId();
    const answer = await stand.orderStop({ orderId });
    await stand.rest("stopped");
    await stand.order();
    await stand.rest("ready");
    assert.deepEqual(await stand.orderStop({ orderId }), answer);
    assert.equal((await stand.doc())?.phase, "ready");
  });

  it("is remembered with seven others", async () => {
    await stand.order({ queues: true });
    for (let again = 0; again < 10; again++) await stand.order({ queues: true });
    assert.equal((await stand.doc())?.orders.length, 8);
  });

  it("to start is accepted again while one is pending, without a second start", async () => {
    const first = await stand.order({ homeless: true });
    await stand.reachPhase("starting");
    assert.deepEqual(await stand.order(), first);
    assert.equal(stand.world.made.length, 1);
  });

  it("from two sides at once makes one server", async () => {
    await stand.start();
    const answers = await Promise.all([stand.order(), stand.order(), stand.order(), stand.order()]);
    assert.equal(new Set(answers.map((answer) => JSON.stringify(answer))).size, 1);
    await stand.rest("ready");
    assert.equal(stand.world.made.length, 1);
  });

  it("to start a ready server is refused", async () => {
    await stand.order();
    await stand.rest("ready");
    await assert.rejects(stand.order(), refused("SERVER_RUNNING"));
  });

  it("to start without options takes those of the last start", async () => {
    await stand.order({ queues: true });
    await stand.reachPhase("queued");
    await stand.orderStop();
    await stand.rest("stopped");
    await stand.order();
    assert.deepEqual((await stand.doc())?.options, { queues: true });
    await stand.reachPhase("queued");
  });

  it("with options that are not for users, or wrong, is refused and writes nothing", async () => {
    await assert.rejects(stand.order({ fixed: "mine" }), refused("SPAWN_OPTIONS_INVALID"));
    await assert.rejects(stand.order({ nothing: 1 }), refused("SPAWN_OPTIONS_INVALID"));
    await assert.rejects(stand.order({ submitMs: "long" }), refused("SPAWN_OPTIONS_INVALID"));
    assert.equal(await stand.doc(), undefined);
  });

  it("for a name no server may have is refused", async () => {
    for (const serverName of ["Lab", "a--b", "-a", "a/b", "x".repeat(31)])
      await assert.rejects(stand.order({}, { serverName }), refused("SERVER_NAME_INVALID"));
  });

  it("of a user being deleted, or unknown, is refused and leaves no record", async () => {
    const accounts = stand.store.collection(users);
    const user = await accounts.get(USER._id);
    assert.ok(user);
    await accounts.patch(user._id, user.rev, { set: { deletingAt: new Date().toISOString() } });
    await assert.rejects(stand.order(), refused("USER_DELETING"));
    assert.equal(await stand.doc(), undefined);
    assert.equal(stand.world.made.length, 0);
  });

  it("to create makes a record at rest, once", async () => {
    const request = {
      userId: USER._id,
      userName: USER.name,
      serverName: "lab2",
      displayName: "Lab two",
      actor: "user:u1",
    };
    const orderId = newId();
    const answer = await stand.bus.request(SpawnCreate, request, { orderId });
    assert.equal(answer.generation, 0);
    assert.deepEqual(await stand.bus.request(SpawnCreate, request, { orderId }), answer);
    await assert.rejects(stand.bus.request(SpawnCreate, request), refused("SERVER_EXISTS"));
    const doc = await stand.doc("lab2");
    assert.equal(doc?.path, "/user/ada/lab2/");
    assert.equal(doc?.displayName, "Lab two");
    assert.equal(doc?.inMotion, false);
    await stand.order({}, { serverName: "lab2" });
    await stand.rest("ready", "lab2");
  });

  it("to stop what is not there answers that it is stopped", async () => {
    assert.deepEqual(await stand.orderStop(), { serverId: "", generation: 0, stopped: true });
  });

  it("to remove deletes the record when it has stopped, and the name is free again", async () => {
    const { serverId } = await stand.order({}, { serverName: "lab2" });
    await stand.rest("ready", "lab2");
    await stand.orderStop({ serverName: "lab2", remove: true });
    await stand.told("server.stopped", "server.deleted");
    await until("record is gone", async () => (await stand.servers.get(serverId)) === undefined);
    assert.equal(stand.grants.size, 0);
    const again = await stand.order({}, { serverName: "lab2" });
    assert.notEqual(again.serverId, serverId);
    await stand.rest("ready", "lab2");
  });

  it("to remove a server at rest deletes it at once", async () => {
    const { serverId } = await stand.order();
    await stand.rest("ready");
    await stand.orderStop();
    await stand.rest("stopped");
    const answer = await stand.orderStop({ remove: true });
    assert.equal(answer.stopped, true);
    await until("record is gone", async () => (await stand.servers.get(serverId)) === undefined);
    await stand.told("server.deleted");
  });

  it("to purge stops and removes all servers of a user and says how many are left", async () => {
    await stand.order();
    await stand.order({ ignoresStop: true }, { serverName: "lab2" });
    await stand.order({ queues: true }, { serverName: "lab3" });
    await stand.rest("ready");
    const { tag } = await stand.rest("ready", "lab2");
    await stand.reachPhase("queued", "lab3");
    const purge = () => stand.bus.request(SpawnPurge, { userId: USER._id, actor: "system:auth" });
    const first = await purge();
    assert.ok(first.left >= 1 && first.left <= 3);
    await until("one is left", async () => (await purge()).left === 1);
    stand.world.end(tag);
    await until("none is left", async () => (await purge()).left === 0);
    assert.equal(stand.world.alive.length, 0);
    assert.equal(stand.grants.size, 0);
  });

  it("to cull tells it, and stops nothing", async () => {
    await stand.order();
    await stand.rest("ready");
    await stand.bus.request(SpawnCull, {
      userId: USER._id,
      serverName: "",
      reason: "idle",
      lastActivity: "",
    });
    await stand.told("server.culling");
    assert.equal((await stand.doc())?.phase, "ready");
  });

  it("to stop or cull that means an older generation leaves the server alone", async () => {
    await stand.order();
    await stand.rest("ready");
    await stand.orderStop({ generation: 1 });
    await stand.rest("stopped");
    await stand.order();
    await stand.rest("ready");
    const cull = { userId: USER._id, serverName: "", reason: "idle", lastActivity: "" };
    await assert.rejects(stand.orderStop({ generation: 1 }), refused("SERVER_REPLACED"));
    await assert.rejects(
      stand.bus.request(SpawnCull, { ...cull, generation: 1 }),
      refused("SERVER_REPLACED"),
    );
    assert.equal((await stand.doc())?.phase, "ready");
    assert.ok(!stand.eventTypes().includes("server.culling"));
    await stand.bus.request(SpawnCull, { ...cull, generation: 2 });
    await stand.orderStop({ generation: 2 });
    await stand.rest("stopped");
  });

  it("to start under a name the user has no more is refused, and the new name makes the path", async () => {
    const accounts = stand.store.collection(users);
    await stand.order();
    await stand.rest("ready");
    await stand.orderStop();
    await stand.rest("stopped");
    const user = await accounts.get(USER._id);
    assert.ok(user);
    await accounts.patch(user._id, user.rev, { set: { name: "eve", nameKey: "eve" } });
    await assert.rejects(stand.order(), refused("USER_NOT_FOUND"));
    await assert.rejects(stand.order({}, { serverName: "lab2" }), refused("USER_NOT_FOUND"));
    assert.equal(await stand.doc("lab2"), undefined);
    assert.equal(stand.world.made.length, 1);
    await stand.order({}, { userName: "eve" });
    assert.equal((await stand.rest("ready")).path, "/user/eve/");
  });

  it("numbers the events of a server without a gap", async () => {
    await stand.order();
    await stand.rest("ready");
    await stand.orderStop();
    await stand.rest("stopped");
    await stand.told("server.stopped");
    const numbers = [...new Set(stand.events.map(({ seq }) => seq))].sort((a, b) => a - b);
    assert.deepEqual(numbers, [1, 2, 3, 4, 5, 6]);
  });
});

describe("limits", () => {
  let stand: Stand;
  beforeEach(async () => {
    stand = await Stand.open();
  });
  afterEach(() => stand.close());

  it("of starts under way count one's own, and a refused start leaves the server as it was", async () => {
    await stand.start({ concurrentLimit: 1 });
    await stand.order({ homeless: true });
    await stand.reachPhase("starting");
    await assert.rejects(stand.order({}, { serverName: "lab2" }), (error: unknown) => {
      assert.equal(codeOf(error), "SPAWN_TOO_MANY");
      return true;
    });
    assert.equal(await stand.doc("lab2"), undefined);
    await stand.orderStop();
    await stand.rest("stopped");
    await stand.order({}, { serverName: "lab2" });
    await stand.rest("ready", "lab2");
  });

  it("are waited for by an order that comes again: it is not accepted before the first is", async () => {
    await stand.start({ concurrentLimit: 1 });
    await stand.start({ concurrentLimit: 1 });
    await stand.order({ homeless: true });
    await stand.reachPhase("starting");
    stand.holdCounts();
    let isAnswered = false;
    const answer = stand.order({}, { serverName: "lab2" }).finally(() => {
      isAnswered = true;
    });
    answer.catch(() => {});
    await until("order came again", () => stand.heldCounts > 1 || isAnswered);
    stand.releaseCounts();
    await assert.rejects(answer, refused("SPAWN_TOO_MANY"));
    await until("record is gone", async () => (await stand.doc("lab2")) === undefined);
    assert.equal(stand.world.made.length, 1);
  });

  it("hold for a start whose instance died before it counted", async () => {
    const first = await stand.start({ concurrentLimit: 1 });
    await stand.order({ homeless: true });
    await stand.reachPhase("starting");
    stand.holdCounts();
    const answer = stand.order({}, { serverName: "lab2" });
    answer.catch(() => {});
    await until("is about to count", () => stand.heldCounts > 0);
    await first.crash();
    stand.releaseCounts();
    await assert.rejects(answer);
    await stand.start({ concurrentLimit: 1 });
    stand.declareDead(first);
    const failed = await stand.rest("failed", "lab2");
    assert.equal(failed.cause.code, "SPAWN_TOO_MANY");
    assert.equal(stand.world.made.length, 1);
  });

  it("hold for a start that waited for the end of the server before", async () => {
    await stand.start({ concurrentLimit: 1 });
    await stand.order({ ignoresStop: true });
    const { tag } = await stand.rest("ready");
    await stand.orderStop();
    await stand.order({});
    await stand.order({ homeless: true }, { serverName: "lab2" });
    await stand.reachPhase("starting", "lab2");
    stand.world.end(tag);
    const failed = await stand.rest("failed");
    assert.deepEqual([failed.generation, failed.cause.code], [2, "SPAWN_TOO_MANY"]);
    assert.equal(stand.world.made.length, 2);
  });

  it("of starts do not forbid a record, those of named servers do", async () => {
    await stand.start({ concurrentLimit: 1, activeLimit: 1, namedServerLimit: 1 });
    await stand.order({ homeless: true });
    await stand.reachPhase("starting");
    const create = (serverName: string) =>
      stand.bus.request(SpawnCreate, { userId: USER._id, userName: USER.name, serverName, actor: "user:u1" });
    await create("lab2");
    await assert.rejects(create("lab3"), refused("SERVER_NAMED_LIMIT"));
    assert.equal(await stand.doc("lab3"), undefined);
  });

  it("of named servers are told", async () => {
    await stand.start({ namedServerLimit: 1 });
    await stand.order({}, { serverName: "lab2" });
    await assert.rejects(stand.order({}, { serverName: "lab3" }), (error: unknown) => {
      assert.match(String(error), /the maximum of 1 named server\b/);
      return refused("SERVER_NAMED_LIMIT")(error);
    });
    await stand.order();
    await stand.rest("ready");
  });

  it("may forbid named servers", async () => {
    stand.namedServers = false;
    await stand.start();
    await assert.rejects(stand.order({}, { serverName: "lab2" }), refused("SERVER_NAMED_OFF"));
  });

  it("hold for two starts at one moment: never more than allowed", async () => {
    await stand.start({ concurrentLimit: 2 });
    await stand.start({ concurrentLimit: 2 });
    const names = ["a", "b", "c", "d", "e", "f"];
    await Promise.allSettled(names.map((serverName) => stand.order({ homeless: true }, { serverName })));
    await until("all decided", async () => {
      const docs = await stand.servers.find({ where: { deletedAt: "" } });
      return docs.items.every(({ phase }) => phase !== "requested");
    });
    const count = await stand.servers.count({ phase: "starting" });
    assert.ok(count <= 2, `${count} starts`);
    assert.ok(stand.world.made.length <= 2);
  });
});

describe("several spawners", () => {
  let stand: Stand;
  beforeEach(async () => {
    stand = await Stand.open();
  });
  afterEach(() => stand.close());

  it("are chosen by profile, and the next start may go to another one", async () => {
    await stand.start({}, {}, ["mock", "other"]);
    await stand.order();
    assert.equal((await stand.rest("ready")).backend, "mock");
    await stand.orderStop();
    await stand.order({}, { profile: "other" });
    assert.equal((await stand.rest("ready")).backend, "other");
    await stand.orderStop();
    await stand.rest("stopped");
    await stand.order();
    assert.equal((await stand.rest("ready")).backend, "other", "the last profile is kept");
    await assert.rejects(
      stand.order({}, { serverName: "lab2", profile: "none" }),
      refused("SPAWN_PROFILE_UNKNOWN"),
    );
  });

  it("that are not configured any more keep their servers untouched until they are again", async () => {
    const first = await stand.start({}, {}, ["mock", "other"]);
    await stand.order({}, { profile: "other" });
    await stand.rest("ready");
    await first.close();
    const second = await stand.start();
    const unknown = await stand.reachPhase("unknown");
    assert.deepEqual([unknown.phaseBefore, unknown.routed], ["ready", true]);
    assert.match(unknown.reason ?? "", /spawner "other" .* not configured any more/);
    const missing = (error: Error & { code: string }) =>
      refused("SPAWN_BACKEND_UNKNOWN")(error) && /configure "other" again/.test(error.message);
    await assert.rejects(stand.orderStop(), missing);
    assert.equal((await stand.doc())?.phase, "unknown");
    assert.equal(stand.world.alive.length, 1);
    await second.close();
    await stand.start({}, {}, ["other"]);
    assert.equal((await stand.reachPhase("ready")).reason, "");
    await stand.orderStop();
    await stand.rest("stopped");
  });

  it("of which one is missing do not keep a purge from the servers of the others", async () => {
    const first = await stand.start({}, {}, ["mock", "other"]);
    await stand.order({}, { profile: "other" });
    await stand.order({}, { serverName: "lab2" });
    await stand.rest("ready");
    await stand.rest("ready", "lab2");
    await first.close();
    const second = await stand.start({}, { unservedMs: 50 });
    const purge = () => stand.bus.request(SpawnPurge, { userId: USER._id, actor: "system:auth" });
    await purge();
    await until("one is left", async () => (await purge()).left === 1);
    assert.equal(await stand.doc("lab2"), undefined);
    const { phase, desired, routed } = await stand.reach("says why", ({ reason = "" }) => reason !== "");
    assert.deepEqual([phase, desired, routed], ["stopping", "stopped", false]);
    await second.close();
    await stand.start({}, {}, ["other"]);
    await until("none is left, unasked", async () => (await stand.doc()) === undefined);
    assert.equal(stand.world.alive.length, 0);
  });
});
