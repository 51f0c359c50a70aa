import { strict as assert } from "node:assert";
import { after, before, describe, it } from "node:test";
import { type EventContract, HubError, type OrderContract } from "@elara/contracts";
import { Type } from "typebox";
import { newId } from "../id.ts";
import { type Bus, MAX_MESSAGE_BYTES, MAX_WAITING, ORDER_DEADLINE_MS } from "./bus.ts";
import { envelope } from "./envelope.ts";

/** What an adapter's test brings. */
export interface BusBench {
  /** A bus of its own, as another process would have; closed by the suite. */
  connect(): Promise<Bus>;
  /** Takes the server away, as by kill -9, and brings it back at the same place. */
  down(): Promise<void>;
  up(): Promise<void>;
  close(): Promise<void>;
}

const Data = Type.Object({ n: Type.Integer(), text: Type.String() });
let serial = 0;
/** Contracts of a test's own, so that tests can share a server and run side by side. */
const own = () => `suite.t${process.pid}x${++serial}`;
const event = (kind: "fact" | "notice"): EventContract<typeof Data> => ({
  type: own(),
  kind,
  summary: "",
  data: Data,
});
const order = (): OrderContract<typeof Data, typeof Data> => ({
  type: own(),
  summary: "",
  request: Data,
  answer: Data,
});
const data = (n: number, text = "") => ({ n, text });
const cloud = (contract: EventContract<typeof Data>, n: number, text = "") =>
  envelope(contract, data(n, text), {
    source: "suite",
    subject: "suite",
    actor: "suite",
    at: Date.now(),
    partitionKey: "-",
  });
const turn = () => new Promise(setImmediate);
const refusal = (code: string) => (error: unknown) => {
  assert.ok(error instanceof HubError);
  assert.equal(error.code, code);
  return true;
};

/** Resolves when the condition holds; fails after 5 s. The only clock in the suite that waits. */
async function until(condition: () => boolean, what: string): Promise<void> {
  const end = performance.now() + 5000;
  while (!condition()) {
    if (performance.now() > end) assert.fail(`never happened: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

/**
 * The one suite of the bus port: every adapter passes it, a broken one does not. `missing` says why the adapter's server
 * cannot be had here: the suite is skipped with it.
 */
export function busConformance(name: string, open: () => Promise<BusBench>, missing?: string): void {
  if (missing !== undefined) {
    it(`bus conformance: ${name}`, { skip: missing });
    return;
  }
  describe(`bus conformance: ${name}`, () => {
    let bench: BusBench;
    before(async () => {
      bench = await open();
    });
    const buses: Bus[] = [];
    const connect = async () => {
      const bus = await bench.connect();
      buses.push(bus);
      return bus;
    };
    // A probe that arrived says that everything subscribed before it on both buses is in place.
    const settled = async (...all: Bus[]) => {
      const ping = event("notice");
      for (const bus of all) {
        let heard = 0;
        const subscription = bus.subscribe(ping, () => {
          heard += 1;
        });
        await until(() => {
          if (heard === 0) bus.notify(ping, data(0), {});
          return heard > 0;
        }, "a probe to itself");
        await subscription.close();
      }
    };
    after(async () => {
      await Promise.all(buses.map((bus) => bus.close()));
      await bench.close();
    });

    describe("side by side", { concurrency: true }, () => {
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

      it("answers an order, with the request checked on the way", async () => {
        const [here, there] = await Promise.all([connect(), connect()]);
        const contract = order();
        const ids: string[] = [];
        there.reply(contract, async ({ n, text }, { orderId }) => {
          ids.push(orderId);
          return data(n + 1, text);
        });
        await settled(there);
        assert.deepEqual(await here.request(contract, data(1, "ü"), { orderId: "o1" }), data(2, "ü"));
        await here.request(contract, data(1));
        assert.equal(ids[0], "o1");
        assert.notEqual(ids[1], "o1");
        await assert.rejects(
          // biome-ignore lint/suspicious/noExplicitAny: what a caller without types would send
          here.request(contract, { n: "one" } as any),
          refusal("BUS_MESSAGE_INVALID"),
        );
        await assert.rejects(
          here.request(contract, data(1, "x".repeat(MAX_MESSAGE_BYTES))),
          refusal("BUS_MESSAGE_TOO_LARGE"),
        );
      });

      it("carries the replier's refusal, and nothing of a fault but INTERNAL", async () => {
        const [here, there] = await Promise.all([connect(), connect()]);
        const [refused, broken, wrong] = [order(), order(), order()];
        there.reply(refused, async () => {
          throw new HubError("SPAWN_TOO_MANY", { message: "Full.", detail: "secret", retryAfterSeconds: 7 });
        });
        there.reply(broken, async () => {
          throw new TypeError("secret");
        });
        // biome-ignore lint/suspicious/noExplicitAny: an answer that breaks the contract
        there.reply(wrong, async () => ({ n: 1 }) as any);
        await settled(there);
        await assert.rejects(here.request(refused, data(1)), (error: unknown) => {
          assert.ok(error instanceof HubError);
          const { code, message, status, retryable, retryAfterSeconds, detail } = error;
          assert.deepEqual(
            { code, message, status, retryable, retryAfterSeconds, detail },
            {
              code: "SPAWN_TOO_MANY",
              message: "Full.",
              status: 429,
              retryable: true,
              retryAfterSeconds: 7,
              detail: undefined,
            },
          );
          return true;
        });
        await assert.rejects(here.request(broken, data(1)), (error: unknown) => {
          assert.ok(error instanceof HubError && !error.message.includes("secret"));
          return refusal("INTERNAL")(error);
        });
        await assert.rejects(here.request(wrong, data(1)), refusal("BUS_MESSAGE_INVALID"));
      });

      it("says that nobody serves an order, before the deadline", async () => {
        const bus = await connect();
        const began = performance.now();
        await assert.rejects(bus.request(order(), data(1)), refusal("BUS_NO_RESPONDERS"));
        assert.ok(performance.now() - began < ORDER_DEADLINE_MS);
      });

      it("reaches a replica that comes while an order is repeated", async () => {
        const [here, there] = await Promise.all([connect(), connect()]);
        const contract = order();
        const asked = here.request(contract, data(1));
        there.reply(contract, async ({ n }) => data(n));
        assert.deepEqual(await asked, data(1));
      });

      it("repeats an unanswered order with its id at 300 ms and 1 s, and gives up at 2 s", async () => {
        const [here, there] = await Promise.all([connect(), connect()]);
        const contract = order();
        const began = performance.now();
        const calls: { at: number; orderId: string }[] = [];
        there.reply(contract, (_, { orderId }) => {
          calls.push({ at: performance.now() - began, orderId });
          return calls.length < 3 ? new Promise(() => {}) : Promise.reject(new HubError("USER_EXISTS"));
        });
        await settled(there);
        await assert.rejects(here.request(contract, data(1)), refusal("USER_EXISTS"));
        assert.equal(new Set(calls.map(({ orderId }) => orderId)).size, 1);
        assert.ok((calls[2]?.at ?? 0) >= 990, `third call at ${calls[2]?.at} ms`);

        const silent = order();
        there.reply(silent, () => new Promise(() => {}));
        await settled(there);
        const asked = performance.now();
        await assert.rejects(here.request(silent, data(1)), refusal("BUS_TIMEOUT"));
        const tookMs = performance.now() - asked;
        assert.ok(tookMs > ORDER_DEADLINE_MS - 20 && tookMs < ORDER_DEADLINE_MS + 1000, `took ${tookMs} ms`);
      });

      it("ends a request when its caller gives up", async () => {
        const [here, there] = await Promise.all([connect(), connect()]);
        const contract = order();
        const taken = Promise.withResolvers<void>();
        there.reply(contract, () => {
          taken.resolve();
          return new Promise(() => {});
        });
        await settled(there);
        const caller = new AbortController();
        const asked = here.request(contract, data(1), { signal: caller.signal });
        await taken.promise;
        caller.abort(new Error("enough"));
        await assert.rejects(asked, /enough/);
      });

      it("shares orders among replicas; one that leaves gets none and finishes what it has", async () => {
        const [here, one, two] = await Promise.all([connect(), connect(), connect()]);
        const [contract, told] = [order(), event("notice")];
        const count = { one: 0, two: 0 };
        const gate = Promise.withResolvers<void>();
        let heard = 0;
        one.reply(contract, async ({ n }) => {
          count.one += 1;
          if (n === -1) await gate.promise;
          return data(1);
        });
        one.subscribe(told, () => {
          heard += 1;
        });
        await settled(one);
        const held = here.request(contract, data(-1));
        await until(() => count.one === 1, "the first order");
        two.reply(contract, async () => {
          count.two += 1;
          return data(2);
        });
        await settled(two);
        await Promise.all(Array.from({ length: 60 }, () => here.request(contract, data(0))));
        assert.ok(count.one > 5 && count.two > 5, `${count.one} and ${count.two}`);

        const leaving = one.leave();
        gate.resolve();
        assert.deepEqual(await held, data(1));
        await leaving;
        await settled(one);
        const answers = await Promise.all(Array.from({ length: 20 }, () => here.request(contract, data(0))));
        assert.deepEqual(new Set(answers.map(({ n }) => n)), new Set([2]));
        here.notify(told, data(1), {});
        await until(() => heard === 1, "an event without a queue, after leaving");
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
    });

    describe("when the server goes and comes back", () => {
      it("fails at once while away, tells of both, and works again with all subscriptions", async () => {
        const [here, there] = await Promise.all([connect(), connect()]);
        const [told, fact, asked] = [event("notice"), event("fact"), order()];
        const changes: boolean[] = [];
        const got: string[] = [];
        there.onChange((connected) => void changes.push(connected));
        there.subscribe(told, ({ n }) => void got.push(`notice ${n}`));
        there.subscribe(fact, ({ n }) => void got.push(`fact ${n}`));
        there.reply(asked, async ({ n }) => data(n));
        await settled(here, there);
        assert.equal(here.connected, true);

        await bench.down();
        await until(() => !here.connected && !there.connected, "both see it gone");
        const began = performance.now();
        await assert.rejects(here.request(asked, data(1)), refusal("BUS_AWAY"));
        await assert.rejects(here.publish(fact, cloud(fact, 1), {}), refusal("BUS_AWAY"));
        await assert.rejects(here.publish(told, cloud(told, 1), {}), refusal("BUS_AWAY"));
        here.notify(told, data(1), {});
        assert.ok(performance.now() - began < 100);

        await bench.up();
        await until(() => here.connected && there.connected, "both are back");
        assert.deepEqual(changes, [false, true]);
        await settled(here, there);
        here.notify(told, data(2), { userId: newId() });
        await here.publish(fact, cloud(fact, 2), {});
        await until(() => got.length === 2, "an event of each kind after the return");
        assert.deepEqual(got, ["notice 2", "fact 2"]);
        assert.deepEqual(await here.request(asked, data(3)), data(3));
      });
    });
  });
}
