import assert from "node:assert/strict";
import { afterEach, beforeEach, describe, it } from "node:test";
import { ActivitySeen, activity, codeOf } from "@elara/contracts";
import { memoryBus } from "@elara/runtime/bus/memory";
import { mergeTimes } from "@elara/runtime/last-times";
import { activityBucket } from "@elara/runtime/store/read/activity";
import { sqliteStore } from "@elara/runtime/store/sqlite";
import type { Store } from "@elara/runtime/store/store";
import { pino } from "pino";
import { type ActivityFold, startActivity } from "../src/activity.ts";
import { type Replica, Stand, USER, until } from "./stand.ts";
import { TestClock } from "./test-clock.ts";

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

describe("a flush", () => {
  const log = pino({ level: "silent" });
  const clock = new TestClock();
  const daysAgo = (days: number) => new Date(clock.now() - days * 86_400_000).toISOString();
  const lines: { level: number; bucket?: string }[] = [];
  let store: Store;
  let fold: ActivityFold;
  /** While set, writes wait for it. */
  let gate: Promise<void> | undefined;
  let open = () => {};
  let held = 0;
  beforeEach(async () => {
    gate = undefined;
    held = 0;
    lines.length = 0;
    store = await sqliteStore({ file: ":memory:", log });
    const slow: Store = {
      ...store,
      collection(declaration) {
        const documents = store.collection(declaration);
        return {
          ...documents,
          async patch(id, rev, change) {
            if (gate) held++;
            await gate;
            return documents.patch(id, rev, change);
          },
        };
      },
    };
    const told = pino({ level: "warn" }, { write: (line: string) => void lines.push(JSON.parse(line)) });
    const bus = memoryBus({ log });
    fold = startActivity({ store: slow, bus, log: told, clock, flushMs: 3_600_000, keepDays: 90 });
  });
  afterEach(async () => {
    open();
    await fold.close();
    await store.close();
  });
  const last = async (userId: string) =>
    (await store.collection(activity).get(activityBucket(userId)))?.last ?? {};

  it("drops tokens and servers that were not seen for long, and keeps the user", async () => {
    const old = { use: daysAgo(91) };
    await store.collection(activity).insert({
      _id: activityBucket("u1"),
      v: 1,
      last: { "t:old": old, "s:removed": old, "u:u1": old, "t:used": { ...old, report: daysAgo(89) } },
    });
    fold.seen("u1", "s:new", { traffic: daysAgo(0) });
    fold.seen("u1", "t:late", old);
    await fold.flush();
    assert.deepEqual(Object.keys(await last("u1")).sort(), ["s:new", "t:used", "u:u1"]);
  });

  it("tells of a bucket that cannot be written, writes the others, and recovers", async () => {
    const full = { [`u:${"x".repeat(999_900)}`]: {} };
    const bucket = await store.collection(activity).insert({ _id: activityBucket("u1"), v: 1, last: full });
    const other = ["u2", "u3"].find((id) => activityBucket(id) !== activityBucket("u1")) ?? "";
    fold.seen("u1", "s:one", { traffic: daysAgo(0) });
    fold.seen("u1", "s:two", { traffic: daysAgo(0) });
    fold.seen(other, "s:x", { traffic: daysAgo(0) });
    await fold.flush();
    await fold.flush();
    assert.notEqual((await last(other))["s:x"], undefined);
    const alarms = lines.filter(({ level }) => level >= 50);
    assert.deepEqual(
      alarms.map((line) => line.bucket),
      [activityBucket("u1")],
      "told once as an error",
    );
    await store.collection(activity).patch(bucket._id, bucket.rev, { set: { last: {} } });
    await fold.flush();
    assert.deepEqual(Object.keys(await last("u1")).sort(), ["s:one", "s:two"]);
  });

  it("under way does not hide what it writes, and loses nothing seen meanwhile", async () => {
    const [before, after] = [daysAgo(2), daysAgo(1)];
    await fold.flush();
    fold.seen("u1", "s:x", { traffic: before });
    const { promise, resolve } = Promise.withResolvers<void>();
    gate = promise;
    open = resolve;
    const flushed = fold.flush();
    await until("the write is under way", () => held > 0);
    assert.equal(await fold.latest("u1", "s:x"), before);
    fold.seen("u1", "s:x", { traffic: after });
    assert.equal(await fold.latest("u1", "s:x"), after);
    gate = undefined;
    resolve();
    await flushed;
    assert.equal(await fold.latest("u1", "s:x"), after);
    await fold.flush();
    assert.equal((await last("u1"))["s:x"]?.traffic, after);
  });
});
