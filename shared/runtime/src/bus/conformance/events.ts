import { strict as assert } from "node:assert";
import { it } from "node:test";
import { MAX_MESSAGE_BYTES, MAX_WAITING } from "../bus.ts";
import { cloud, data, event, refusal, type SuiteBench, until } from "./bench.ts";

const turn = () => new Promise(setImmediate);

/** What the bus promises of events. */
export function eventPromises({ connect, settled }: SuiteBench): void {
  for (const kind of ["fact", "notice"] as const) {
    it(`brings a ${kind} to every subscriber, as a copy, in a later turn`, async () => {
      const [here, there] = await Promise.all([connect(), connect()]);
      const contract = event(kind);
      const got: { n: number; text: string }[] = [];
      for (const bus of [here, there, there]) bus.subscribe(contract, (value) => void got.push(value));
      await settled(here, there);
      const sent = cloud(contract, 1, "ü\u0000€");
      const published = here.publish(contract, sent, { userId: "u1", objectId: "o1" });
      assert.equal(got.length, 0);
      await published;
      await until(() => got.length === 3, "three deliveries");
      for (const value of got) {
        assert.deepEqual(value, data(1, "ü\u0000€"));
        assert.notEqual(value, sent.data);
      }
    });
  }

  it("acknowledges a fact that nobody listens to, also twice", async () => {
    const bus = await connect();
    const contract = event("fact");
    const sent = cloud(contract, 1);
    await bus.publish(contract, sent, {});
    await bus.publish(contract, sent, {});
  });

  it("fills in the envelope of a notice", async () => {
    const bus = await connect();
    const contract = event("notice");
    const { promise, resolve } = Promise.withResolvers<{ seq: number; type: string; subject: string }>();
    bus.subscribe(contract, (_, envelope) => resolve(envelope));
    await settled(bus);
    bus.notify(contract, data(1), { userId: "u1", objectId: "o1" });
    const got = await promise;
    assert.equal(got.seq, 0);
    assert.equal(got.type, `org.elara.${contract.type}.v1`);
    assert.equal(got.subject, "users/u1/suites/o1");
  });

  it("delivers in order, one at a time, and survives a handler that throws", async () => {
    const [here, there] = await Promise.all([connect(), connect()]);
    const contract = event("notice");
    const got: number[] = [];
    let running = 0;
    let most = 0;
    there.subscribe(contract, async ({ n }) => {
      running += 1;
      most = Math.max(most, running);
      await turn();
      running -= 1;
      got.push(n);
      if (n === 3) throw new Error("provoked by the suite");
    });
    await settled(here, there);
    for (let n = 0; n < 200; n += 1) here.notify(contract, data(n), {});
    await until(() => got.length === 200, "200 deliveries");
    assert.deepEqual(got, [...got.keys()]);
    assert.equal(most, 1);
  });

  it("gives each message of a queue to one member, and every member some", async () => {
    const [here, one, two] = await Promise.all([connect(), connect(), connect()]);
    const contract = event("notice");
    const got: Record<"one" | "two", number[]> = { one: [], two: [] };
    one.subscribe(contract, ({ n }) => void got.one.push(n), { queue: "q" });
    two.subscribe(contract, ({ n }) => void got.two.push(n), { queue: "q" });
    let alone = 0;
    two.subscribe(contract, () => {
      alone += 1;
    });
    await settled(one, two, here);
    for (let n = 0; n < 100; n += 1) here.notify(contract, data(n), {});
    await until(() => got.one.length + got.two.length >= 100 && alone === 100, "100 deliveries");
    await settled(one, two);
    assert.equal(new Set([...got.one, ...got.two]).size, 100);
    assert.equal(got.one.length + got.two.length, 100);
    assert.ok(got.one.length > 10 && got.two.length > 10, `${got.one.length} and ${got.two.length}`);
  });

  it("refuses what does not conform and what is too large, and takes what just fits", async () => {
    const bus = await connect();
    const contract = event("fact");
    const wrong = { ...cloud(contract, 1), data: { n: "one" } };
    await assert.rejects(bus.publish(contract, wrong, {}), refusal("BUS_MESSAGE_INVALID"));
    const empty = Buffer.byteLength(JSON.stringify(cloud(contract, 1)));
    const fits = cloud(contract, 1, "x".repeat(MAX_MESSAGE_BYTES - empty));
    await bus.publish(contract, fits, {});
    const large = cloud(contract, 1, "x".repeat(MAX_MESSAGE_BYTES - empty + 1));
    await assert.rejects(bus.publish(contract, large, {}), refusal("BUS_MESSAGE_TOO_LARGE"));
  });

  it("keeps 1,000 waiting, drops the oldest beyond, and says so", async () => {
    const [here, there] = await Promise.all([connect(), connect()]);
    const contract = event("notice");
    const gate = Promise.withResolvers<void>();
    const got: number[] = [];
    let lagged = 0;
    const handler = async ({ n }: { n: number }) => {
      got.push(n);
      await gate.promise;
    };
    there.subscribe(contract, handler, {
      lagged: () => {
        lagged += 1;
      },
    });
    await settled(here, there);
    here.notify(contract, data(0), {});
    await until(() => got.length === 1, "the first delivery");
    for (let n = 1; n <= MAX_WAITING + 500; n += 1) here.notify(contract, data(n), {});
    await until(() => lagged > 0, "lagged");
    await settled(here, there);
    gate.resolve();
    await until(() => got.at(-1) === MAX_WAITING + 500, "the newest message");
    assert.equal(got.length, MAX_WAITING + 1);
    assert.equal(got[1], 501);
  });

  it("closes a subscription when its handler is done, and brings nothing more", async () => {
    const bus = await connect();
    const contract = event("notice");
    const gate = Promise.withResolvers<void>();
    let began = 0;
    let ended = 0;
    const subscription = bus.subscribe(contract, async () => {
      began += 1;
      await gate.promise;
      ended += 1;
    });
    await settled(bus);
    bus.notify(contract, data(1), {});
    bus.notify(contract, data(2), {});
    await until(() => began === 1, "the first delivery");
    const closing = subscription.close().then(() => assert.equal(ended, 1));
    gate.resolve();
    await closing;
    bus.notify(contract, data(3), {});
    await settled(bus);
    assert.equal(began, 1);
  });

  it("sends what was published before it closes", async () => {
    const [here, there] = await Promise.all([connect(), connect()]);
    const contract = event("notice");
    let got = 0;
    there.subscribe(contract, () => {
      got += 1;
    });
    await settled(there);
    for (let n = 0; n < 50; n += 1) here.notify(contract, data(n), {});
    await here.close();
    await until(() => got === 50, "50 deliveries");
    assert.equal(here.connected, false);
    await assert.rejects(here.publish(contract, cloud(contract, 1), {}), refusal("BUS_AWAY"));
  });
}
