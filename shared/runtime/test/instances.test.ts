import { strict as assert } from "node:assert";
import { after, describe, it } from "node:test";
import { instances } from "@elara/contracts";
import { pino } from "pino";
import { startInstance } from "../src/instances.ts";
import { startLiveness } from "../src/liveness.ts";
import { sqliteStore } from "../src/store/sqlite.ts";
import { testClock } from "./fixtures/clock.ts";
import { eventually } from "./fixtures/eventually.ts";
import { unreliable } from "./fixtures/unreliable-store.ts";

const log = pino({ level: "silent" });
const closers: (() => unknown)[] = [];
after(async () => {
  for (const close of closers.reverse()) await close();
});

async function bench() {
  const store = unreliable(await sqliteStore({ file: ":memory:", log }));
  const clock = testClock(Date.UTC(2026, 0, 1));
  const documents = store.collection(instances);
  closers.push(() => store.close());
  const start = async () => {
    const lost: number[] = [];
    const row = await startInstance({
      store,
      service: "spawn",
      log,
      clock,
      address: "http://127.0.0.1:1",
      digests: { keys: "k" },
      onLost: () => lost.push(clock.monotonic()),
    });
    closers.push(() => row.close());
    return { row, lost };
  };
  const watch = async () => {
    const liveness = startLiveness({ store, clock, log });
    closers.push(() => liveness.close());
    await liveness.refresh();
    return liveness;
  };
  return { store, clock, documents, start, watch };
}

describe("instance row", () => {
  it("stands in the store, is beaten, changed, and marked at the end", async () => {
    const { documents, start } = await bench();
    const { row } = await start();
    const first = await documents.get(row.id);
    assert.equal(first?.stoppedAt, "");
    assert.equal(row.fenced(), false);
    await eventually(async () => ((await documents.get(row.id))?.beat ?? 0) > (first?.beat ?? 0), "a beat");
    await Promise.all([
      row.set({ routesUpTo: "2026-01-01T00:00:00.000Z" }),
      row.set({ address: "http://x:2" }),
    ]);
    const changed = await documents.get(row.id);
    assert.equal(changed?.routesUpTo, "2026-01-01T00:00:00.000Z");
    assert.equal(changed?.address, "http://x:2");
    await row.close();
    assert.notEqual((await documents.get(row.id))?.stoppedAt, "");
  });

  it("is fenced 6 s after its last confirmed beat began, tells once, and recovers", async () => {
    const { store, clock, start } = await bench();
    const { row, lost } = await start();
    store.away = true;
    clock.forward(5999);
    assert.equal(row.fenced(), false);
    clock.forward(2);
    assert.equal(row.fenced(), true);
    await eventually(() => lost.length === 1, "onLost");
    store.away = false;
    await eventually(() => !row.fenced(), "a confirmed beat");
    assert.equal(lost.length, 1);
  });

  it("starts fenced with the store away, and writes its row when it is back", async () => {
    const { store, documents, start } = await bench();
    store.away = true;
    const { row } = await start();
    assert.equal(row.fenced(), true);
    store.away = false;
    await eventually(() => !row.fenced(), "a confirmed beat");
    assert.equal((await documents.get(row.id))?.epoch, row.epoch);
  });

  it("writes its row again when it has vanished", async () => {
    const { documents, start } = await bench();
    const { row } = await start();
    await documents.delete(row.id);
    await eventually(async () => (await documents.get(row.id)) !== undefined, "the row");
  });
});

describe("liveness", () => {
  const dead = { _id: "dead", v: 1, service: "spawn" as const, epoch: 3, address: "", beat: 7 };
  const rest = {
    startedAt: "2026-01-01T00:00:00.000Z",
    stoppedAt: "",
    version: "",
    digests: {},
    routesUpTo: "",
  };

  it("takes for dead whose beat stood for 10 s while watched, and not before", async () => {
    const { clock, documents, watch } = await bench();
    const doc = await documents.insert({ ...dead, ...rest });
    const liveness = await watch();
    for (let second = 0; second < 10; second += 1) {
      assert.equal(liveness.isAlive("dead", 3), true, `after ${second} s`);
      clock.forward(1000);
      await liveness.refresh();
    }
    assert.equal(liveness.isAlive("dead", 3), false);
    assert.deepEqual(liveness.live("spawn"), []);
    await documents.patch("dead", doc.rev, { set: { beat: 8 } });
    await liveness.refresh();
    assert.equal(liveness.isAlive("dead", 3), true);
    assert.equal(liveness.live("spawn").length, 1);
    assert.equal(liveness.live("auth").length, 0);
    assert.equal(liveness.isAlive("dead", 2), false, "an earlier epoch");
  });

  it("does not count an outage of the store as silence", async () => {
    const { store, clock, documents, watch } = await bench();
    await documents.insert({ ...dead, ...rest });
    const liveness = await watch();
    store.away = true;
    clock.forward(60_000);
    await assert.rejects(liveness.refresh(), { code: "STORE_AWAY" });
    assert.equal(liveness.isAlive("dead", 3), true);
    store.away = false;
    await liveness.refresh();
    assert.equal(liveness.isAlive("dead", 3), true, "it had no chance to beat yet");
  });

  it("knows at the next read who said good-bye", async () => {
    const { start, watch } = await bench();
    const { row } = await start();
    const liveness = await watch();
    assert.equal(liveness.isAlive(row.id, row.epoch), true);
    await row.close();
    await liveness.refresh();
    assert.equal(liveness.isAlive(row.id, row.epoch), false);
  });

  it("takes an id it never saw for dead only after a read that began later", async () => {
    const { store, clock, start, watch } = await bench();
    const liveness = await watch();
    const { row } = await start();
    assert.equal(liveness.isAlive(row.id, row.epoch), true, "written after the last read");
    assert.equal(liveness.isAlive("nobody", 1), true);
    store.away = true;
    clock.forward(20_000);
    assert.equal(liveness.isAlive("nobody", 1), true, "nothing was read since");
    store.away = false;
    await liveness.refresh();
    assert.equal(liveness.isAlive("nobody", 1), false);
    assert.equal(liveness.isAlive(row.id, row.epoch), true);
  });

  it("remembers the last thousand it never saw, and forgets the oldest first", async () => {
    const { clock, watch } = await bench();
    const liveness = await watch();
    for (let n = 0; n <= 1000; n += 1) assert.equal(liveness.isAlive(`nobody${n}`, 1), true);
    clock.forward(1);
    await liveness.refresh();
    assert.equal(liveness.isAlive("nobody1", 1), false);
    assert.equal(liveness.isAlive("nobody999", 1), false);
    assert.equal(liveness.isAlive("nobody0", 1), true, "forgotten: as if it were new");
  });

  it("removes rows that stopped more than an hour ago", async () => {
    const { documents, watch } = await bench();
    await documents.insert({ ...dead, ...rest, _id: "old", stoppedAt: "2025-12-31T22:00:00.000Z" });
    await documents.insert({ ...dead, ...rest, _id: "new", stoppedAt: "2025-12-31T23:30:00.000Z" });
    await watch();
    await eventually(async () => (await documents.get("old")) === undefined, "the sweep");
    assert.ok(await documents.get("new"));
  });
});
