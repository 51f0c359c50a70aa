import { strict as assert } from "node:assert";
import { after, it } from "node:test";
import { leases } from "@elara/contracts";
import { type HeldLease, holdLease } from "../src/lease.ts";
import { sqliteStore } from "../src/store/sqlite.ts";
import { testClock } from "./fixtures/clock.ts";
import { eventually } from "./fixtures/eventually.ts";
import { keptLog, silentLog } from "./fixtures/log.ts";
import { unreliable } from "./fixtures/unreliable-store.ts";

const WARN = 40;
const closers: (() => unknown)[] = [];
after(async () => {
  for (const close of closers.reverse()) await close();
});

async function bench() {
  const { log, lines } = keptLog();
  const store = unreliable(await sqliteStore({ file: ":memory:", log: silentLog }));
  closers.push(() => store.close());
  const clock = testClock(Date.UTC(2026, 0, 1));
  const dead = new Set<string>();
  const fenced = new Set<string>();
  const want = async (id: string): Promise<HeldLease> => {
    const lease = await holdLease({
      store,
      name: "observer:local",
      instance: { id, epoch: 1, fenced: () => fenced.has(id) },
      liveness: { isAlive: (instance) => !dead.has(instance) },
      log,
      clock,
    });
    closers.push(() => lease.close());
    return lease;
  };
  const warnings = () => lines.filter((line) => Number(line.level) >= WARN).length;
  return { store, clock, dead, fenced, want, warnings };
}

it("has one holder, however many ask at once", async () => {
  const { want } = await bench();
  const all = await Promise.all(["a", "b", "c", "d"].map(want));
  assert.equal(all.filter((lease) => lease.held()).length, 1);
});

it("is released on close and taken by another", async () => {
  const { want } = await bench();
  const [first, second] = [await want("a"), await want("b")];
  assert.deepEqual([first.held(), second.held()], [true, false]);
  await first.close();
  assert.equal(first.held(), false);
  await eventually(() => second.held(), "the second takes it");
});

it("is taken over from the dead only, and the old holder learns of it", async () => {
  const { store, dead, want } = await bench();
  const [first, second] = [await want("a"), await want("b")];
  dead.add("a");
  await eventually(() => second.held(), "the second takes it");
  await eventually(() => !first.held(), "the first sees it");
  assert.equal((await store.collection(leases).get("observer:local"))?.holder.instance, "b");
});

it("does not count for a fenced instance, nor when not read for 6 s", async () => {
  const { store, clock, fenced, want } = await bench();
  const lease = await want("a");
  assert.equal(lease.held(), true);
  fenced.add("a");
  assert.equal(lease.held(), false);
  fenced.clear();
  store.away = true;
  clock.forward(6001);
  assert.equal(lease.held(), false);
  store.away = false;
  await eventually(() => lease.held(), "read again");
});

it("warns once while it cannot be read, and again the next time; to come second is no warning", async () => {
  const { store, want, warnings } = await bench();
  await Promise.all(["a", "b", "c"].map(want));
  assert.equal(warnings(), 0, "two of three were too late");
  const outage = async () => {
    const before = store.refused;
    store.away = true;
    await eventually(() => store.refused >= before + 9, "each looked three times");
    store.away = false;
  };
  await outage();
  assert.equal(warnings(), 3);
  const reader = await want("d");
  await eventually(() => !reader.held(), "a look that succeeds");
  await outage();
});
