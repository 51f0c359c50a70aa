import assert from "node:assert/strict";
import { afterEach, beforeEach, describe, it } from "node:test";
import { ActivitySeen, activity, codeOf } from "@elara/contracts";
import { activityBucket } from "@elara/runtime/store/read/activity";
import { mergeTimes } from "../src/activity.ts";
import { type Replica, Stand, USER, until } from "./stand.ts";

const at = (second: number) => `2026-11-22T10:00:${String(second).padStart(2, "0")}.000Z`;

describe("merging last times", () => {
  const now = at(30);
  it("keeps the later of each kind and says when nothing is new", () => {
    assert.deepEqual(mergeTimes({ traffic: at(5) }, { traffic: at(4), report: at(3) }, now), {
      traffic: at(5),
      report: at(3),
    });
    assert.equal(mergeTimes({ traffic: at(5) }, { traffic: at(5) }, now), undefined);
    assert.equal(mergeTimes({ traffic: at(5) }, {}, now), undefined);
    assert.deepEqual(mergeTimes(undefined, { use: at(1) }, now), { use: at(1) });
  });
  it("takes a time from the future for now", () => {
    assert.deepEqual(mergeTimes(undefined, { report: at(59) }, now), { report: now });
  });
});

describe("activity", () => {
  let stand: Stand;
  let replica: Replica;
  beforeEach(async () => {
    stand = await Stand.open();
    replica = await stand.start({}, { flushMs: 40 });
  });
  afterEach(() => stand.close());
  const bucket = () => stand.store.collection(activity).get(activityBucket(USER._id));
  const see = (key: string, last: Record<string, string>) =>
    stand.bus.notify(ActivitySeen, { entries: [{ userId: USER._id, key, last }] }, {});

  it("is folded and written by maximum, whoever says it and in whatever order", async () => {
    await stand.start({}, { flushMs: 40 });
    see("s:x", { traffic: at(9) });
    see("s:x", { traffic: at(7), report: at(8) });
    see("u:u1", { use: at(5) });
    await until("written", async () => {
      const last = (await bucket())?.last;
      return last?.["s:x"]?.report === at(8) && last["u:u1"]?.use === at(5);
    });
    assert.deepEqual((await bucket())?.last["s:x"], { traffic: at(9), report: at(8) });
    see("s:x", { traffic: at(1) });
    see("s:y", { traffic: at(2) });
    await until("the other is written", async () => (await bucket())?.last["s:y"] !== undefined);
    assert.equal((await bucket())?.last["s:x"]?.traffic, at(9));
  });

  it("is kept while the store is away and written at the end", async () => {
    replica.setStoreAway(true);
    see("s:x", { traffic: at(9) });
    await until("a flush has failed", () => replica.refused > 10);
    assert.equal(await bucket(), undefined);
    replica.setStoreAway(false);
    await replica.close();
    assert.equal((await bucket())?.last["s:x"]?.traffic, at(9));
  });

  it("newer than the culler knows keeps a server, in memory and in the store", async () => {
    const { serverId } = await stand.order();
    await stand.rest("ready");
    const seen = new Date(stand.clock.now()).toISOString();
    const before = new Date(stand.clock.now() - 60_000).toISOString();
    see(`s:${serverId}`, { traffic: seen });
    await until("refused", () =>
      stand.orderStop({ ifIdleSince: before }).then(
        () => assert.fail("was stopped"),
        (error: unknown) => codeOf(error) === "SERVER_ACTIVE",
      ),
    );
    await until("written", async () => (await bucket())?.last[`s:${serverId}`] !== undefined);
    await assert.rejects(stand.orderStop({ ifIdleSince: before }), { code: "SERVER_ACTIVE" });
    assert.equal((await stand.doc())?.phase, "ready");
    await stand.orderStop({ ifIdleSince: seen });
    await stand.rest("stopped");
  });

  it("of a removed server is forgotten", async () => {
    const { serverId } = await stand.order();
    await stand.rest("ready");
    see(`s:${serverId}`, { traffic: at(1) });
    see("u:u1", { report: at(1) });
    await until("written", async () => {
      const last = (await bucket())?.last;
      return last?.[`s:${serverId}`]?.traffic === at(1) && last["u:u1"]?.report === at(1);
    });
    await stand.orderStop({ remove: true });
    await until("forgotten", async () => (await bucket())?.last[`s:${serverId}`] === undefined);
    assert.equal((await bucket())?.last["u:u1"]?.report, at(1));
  });
});
