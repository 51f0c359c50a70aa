import { strict as assert } from "node:assert";
import { it } from "node:test";
import { HubError } from "@elara/contracts";
import { MAX_MESSAGE_BYTES, ORDER_DEADLINE_MS } from "../bus.ts";
import { data, event, order, refusal, type SuiteBench, until } from "./bench.ts";

/** What the bus promises of orders. */
export function orderPromises({ connect, settled }: SuiteBench): void {
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
    // The first may have been repeated on a busy machine, and comes with its own id then.
    assert.notEqual(ids.at(-1), "o1");
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
      throw new HubError("SPAWN_TOO_MANY", {
        message: "Full.",
        detail: "secret",
        retryAfterSeconds: 7,
        field: "image",
      });
    });
    there.reply(broken, async () => {
      throw new TypeError("secret");
    });
    // biome-ignore lint/suspicious/noExplicitAny: an answer that breaks the contract
    there.reply(wrong, async () => ({ n: 1 }) as any);
    await settled(there);
    await assert.rejects(here.request(refused, data(1)), (error: unknown) => {
      assert.ok(error instanceof HubError);
      const { code, message, status, retryable, retryAfterSeconds, field, detail } = error;
      assert.deepEqual(
        { code, message, status, retryable, retryAfterSeconds, field, detail },
        {
          code: "SPAWN_TOO_MANY",
          message: "Full.",
          status: 429,
          retryable: true,
          retryAfterSeconds: 7,
          field: "image",
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
    assert.ok(tookMs > ORDER_DEADLINE_MS - 20 && tookMs < ORDER_DEADLINE_MS + 2000, `took ${tookMs} ms`);
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
}
