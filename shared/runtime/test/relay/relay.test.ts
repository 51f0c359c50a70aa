import { strict as assert } from "node:assert";
import { after, describe, it } from "node:test";
import { UserUpdated } from "@elara/contracts";
import type { Bus } from "../../src/bus/bus.ts";
import { type Faults, memoryBus, memoryNetwork } from "../../src/bus/memory.ts";
import { systemClock } from "../../src/clock.ts";
import { eventOf, insertWithEvents, withEvents } from "../../src/outbox.ts";
import { type RelayOptions, startRelay } from "../../src/relay.ts";
import { sqliteStore } from "../../src/store/sqlite.ts";
import { eventually } from "../fixtures/eventually.ts";
import { keptLog } from "../fixtures/log.ts";
import { Consumer, insertThing, things, told, waiting } from "./things.ts";

const closers: (() => unknown)[] = [];
after(async () => {
  for (const close of closers.reverse()) await close();
});

async function bench(faults?: Faults) {
  const { log, lines } = keptLog();
  const store = await sqliteStore({ file: ":memory:", log });
  const documents = store.collection(things);
  const network = memoryNetwork(faults);
  const bus = memoryBus({ log, network });
  const consumer = new Consumer();
  consumer.listen(bus);
  closers.push(
    () => store.close(),
    () => bus.close(),
  );
  const start = (options: Partial<RelayOptions> = {}) => {
    const relay = startRelay({ bus, documents: [documents], log, clock: systemClock, ...options });
    closers.push(() => relay.close());
    return relay;
  };
  const settled = () => eventually(async () => (await waiting(documents)) === 0, "empty outboxes");
  return { log, lines, documents, network, bus, consumer, start, settled };
}

/** A bus on which publishing waits until it is let through; `sent` tells how many began. */
function gated(bus: Bus) {
  const gates: (() => void)[] = [];
  let isOpen = false;
  const publish: Bus["publish"] = async (...args) => {
    if (!isOpen) await new Promise<void>((resolve) => gates.push(resolve));
    await bus.publish(...args);
  };
  const open = () => {
    isOpen = true;
    for (const gate of gates) gate();
  };
  const proxy = new Proxy(bus, {
    get: (target, name, receiver) => (name === "publish" ? publish : Reflect.get(target, name, receiver)),
  });
  return { bus: proxy, open, began: () => gates.length };
}

describe("outbox", () => {
  it("numbers the events of a document without gaps, with the change in one write", async () => {
    const { documents } = await bench();
    const made = await documents.insert(insertWithEvents({ _id: "a", v: 1, n: 0 }, [told("a"), told("a")]));
    const changed = await documents.patch("a", made.rev, withEvents(made, { n: 1 }, [told("a")]));
    const plain = changed && (await documents.patch("a", changed.rev, withEvents(changed, { n: 2 }, [])));
    assert.equal(plain?.seq, 3);
    assert.equal(plain?.n, 2);
    const pending = plain?.pendingEvents.map((each) => (each as { event: { seq: number } }).event.seq);
    assert.deepEqual(pending, [1, 2, 3]);
    assert.notEqual(plain?.pendingSince, "");
  });

  it("refuses an event that could not be sent, before anything is written", () => {
    const options = {
      hubId: "hub",
      subject: "users/a",
      userId: "a",
      objectId: "",
      actor: "system:test",
      clock: systemClock,
    };
    const data = { userId: "Not an id", name: "", changed: [] };
    assert.throws(() => eventOf(UserUpdated, { ...options, data }), { code: "BUS_MESSAGE_INVALID" });
    const large = { userId: "a", name: "x".repeat(300_000), changed: [] };
    assert.throws(() => eventOf(UserUpdated, { ...options, data: large }), { code: "BUS_MESSAGE_TOO_LARGE" });
  });
});

describe("relay", () => {
  it("sends on a nudge, oldest first, and empties the outbox", async () => {
    const { documents, consumer, start, settled } = await bench();
    const relay = start();
    await insertThing(documents, "a", 3);
    const began = performance.now();
    relay.nudge();
    await settled();
    assert.ok(performance.now() - began < 900, "by the nudge, not by the look each second");
    await eventually(() => consumer.taken === 3, "three events");
    assert.deepEqual(consumer.gaps, []);
    assert.equal((await documents.get("a"))?.seq, 3);
  });

  it("finds without a nudge what another replica wrote and did not send", async () => {
    const { documents, consumer, start, settled } = await bench();
    start();
    await insertThing(documents, "a", 1);
    await settled();
    await eventually(() => consumer.taken === 1, "the event");
  });

  it("waits while the bus is away and goes on when it is back", async () => {
    const { documents, network, consumer, lines, start, settled } = await bench();
    const relay = start();
    network.down();
    await insertThing(documents, "a", 2);
    relay.nudge();
    await eventually(() => lines.some((line) => line.code === "BUS_AWAY"), "the complaint");
    assert.equal(await waiting(documents), 1);
    network.up();
    await settled();
    await eventually(() => consumer.taken === 2, "both events");
  });

  for (const seed of [1, 2, 3]) {
    it(`acknowledges every event, in order, through loss, delay and duplication, seed ${seed}`, async () => {
      const { documents, consumer, start, settled } = await bench({
        seed,
        loss: 0.1,
        delayMs: 10,
        duplication: 0.2,
      });
      const relay = start();
      for (let n = 0; n < 60; n += 1) await insertThing(documents, `t${n}`, 4);
      relay.nudge();
      await settled();
      // The bus may lose an event on its way to this subscriber (the store is the truth); it never turns them round.
      assert.ok(consumer.received > consumer.taken, "some came again");
      assert.ok(consumer.taken > 120, `only ${consumer.taken} of 240`);
      assert.deepEqual(consumer.late, []);
    });
  }

  it("settles what it sent and nothing that was added meanwhile", async () => {
    const { documents, bus, consumer, start, settled } = await bench();
    const gate = gated(bus);
    const made = await insertThing(documents, "a", 1);
    start({ bus: gate.bus });
    await eventually(() => gate.began() === 1, "the first publishing");
    const added = await documents.patch("a", made.rev, withEvents(made, { n: 1 }, [told("a")]));
    assert.ok(added, "sending does not stand in the way of a change");
    gate.open();
    await settled();
    await eventually(() => consumer.taken === 2, "both events");
    assert.deepEqual(consumer.gaps, []);
    assert.equal((await documents.get("a"))?.rev, added.rev, "nor does settling");
  });

  it("sends a document twice at most when two relays look at once, and loses nothing", async () => {
    const { documents, consumer, start, settled } = await bench();
    for (let n = 0; n < 40; n += 1) await insertThing(documents, `t${n}`, 3);
    start();
    start();
    await settled();
    await eventually(() => consumer.taken === 120, "120 events");
    assert.deepEqual(consumer.gaps, []);
  });

  it("removes a tombstone once its event is out, keeps the one it is told to, and one that lives again", async () => {
    const { documents, bus, consumer, start, settled } = await bench();
    const gate = gated(bus);
    const at = "2026-01-01T00:00:00.000Z";
    const bury = async (id: string) => {
      const made = await documents.insert(insertWithEvents({ _id: id, v: 1, n: 0 }, []));
      const buried = await documents.patch(id, made.rev, withEvents(made, { deletedAt: at }, [told(id)]));
      assert.ok(buried);
      return buried;
    };
    const [, , again] = await Promise.all(["gone", "kept", "again"].map(bury));
    start({ bus: gate.bus, keep: ({ _id }) => _id === "kept" });
    await eventually(() => gate.began() === 3, "the publishing");
    await documents.patch("again", again?.rev ?? 0, { set: { deletedAt: "" } });
    gate.open();
    await settled();
    await eventually(() => consumer.last.size === 3, "all three events");
    assert.equal(await documents.get("gone"), undefined);
    assert.equal((await documents.get("kept"))?.deletedAt, at);
    assert.equal((await documents.get("again"))?.deletedAt, "");
  });

  it("drops what can never be sent, leaves what a newer version wrote, and holds nobody back", async () => {
    const { documents, consumer, lines, start } = await bench();
    const bad = told("bad");
    const wrong = { ...bad, event: { ...bad.event, data: { userId: 1 } } };
    await documents.insert(insertWithEvents({ _id: "bad", v: 1, n: 0 }, [wrong, told("bad")]));
    await documents.insert(
      insertWithEvents({ _id: "new", v: 1, n: 0 }, [{ ...told("new"), type: "user.sang" }]),
    );
    await insertThing(documents, "good", 1);
    start();
    await eventually(async () => (await waiting(documents)) === 1, "the two others");
    await eventually(() => consumer.received === 2, "their events");
    assert.ok(lines.some((line) => line.eventId === bad.id));
    assert.equal((await documents.get("new"))?.pendingEvents.length, 1);
  });

  it("sends what waits before it closes", async () => {
    const { documents, consumer, start } = await bench();
    const relay = start();
    await insertThing(documents, "a", 5);
    await relay.close();
    assert.equal(await waiting(documents), 0);
    await eventually(() => consumer.taken === 5, "five events");
  });
});
