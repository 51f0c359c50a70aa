import { strict as assert } from "node:assert";
import { describe, it } from "node:test";
import { codeOf, type OrderContract } from "@elara/contracts";
import { Type } from "typebox";
import { busConformance } from "../../src/bus/conformance.ts";
import { memoryBus, memoryNetwork } from "../../src/bus/memory.ts";
import { silentLog as log } from "../fixtures/log.ts";

const Add: OrderContract<ReturnType<typeof number>, ReturnType<typeof number>> = {
  type: "suite.add",
  summary: "",
  request: number(),
  answer: number(),
};
function number() {
  return Type.Object({ n: Type.Integer() });
}

// The whole suite holds on a slow line; loss and duplication break promises that no bus gives.
busConformance("memory, every message up to 10 ms late", async () => {
  const network = memoryNetwork({ seed: 7, delayMs: 10 });
  return {
    connect: async () => memoryBus({ log, network }),
    down: async () => network.down(),
    up: async () => network.up(),
    close: async () => {},
  };
});

describe("orders over memory with faults", { concurrency: true }, () => {
  for (const seed of [1, 2, 3]) {
    it(`are done once by a replier that remembers ids, or end with BUS_TIMEOUT, seed ${seed}`, async (t) => {
      const bus = memoryBus({ log, faults: { seed, loss: 0.2, delayMs: 50, duplication: 0.3 } });
      t.after(() => bus.close());
      const done = new Map<string, number>();
      let calls = 0;
      bus.reply(Add, async ({ n }, { orderId }) => {
        calls += 1;
        done.set(orderId, n);
        return { n };
      });
      const results = await Promise.allSettled(
        Array.from({ length: 200 }, (_, n) => bus.request(Add, { n }, { orderId: `o${n}` })),
      );
      const answered = results.flatMap((result, n) =>
        result.status === "fulfilled" ? [{ n, got: result.value.n }] : [],
      );
      const failed = results.flatMap((result) =>
        result.status === "rejected" ? [codeOf(result.reason)] : [],
      );
      assert.ok(calls > 200, "some came again");
      assert.ok(answered.length > 170, `${answered.length} of 200 answered`);
      assert.ok(failed.length > 0, "with three tries at this loss some stay without an answer");
      assert.deepEqual(new Set(failed), new Set(["BUS_TIMEOUT"]));
      for (const { n, got } of answered) assert.equal(got, n);
      for (const { n } of answered) assert.equal(done.get(`o${n}`), n);
    });
  }
});
