import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { type CloudEvent, HubError } from "@elara/contracts";
// @boundaries-ignore the real program is started by the fixture that all rooms share
import { natsMissing, startNats } from "../../../../test/fixtures/nats.ts";
import type { Bus } from "../../src/bus/bus.ts";
import { data, event, order } from "../../src/bus/conformance/bench.ts";
import { memoryBus } from "../../src/bus/memory.ts";
import { natsBus } from "../../src/bus/nats.ts";
import { tracedBus } from "../../src/telemetry/traced-bus.ts";
import { tracerOf } from "../../src/telemetry/tracer.ts";
import { silentLog as log } from "../fixtures/log.ts";
import { recordSpans } from "./recorded.ts";

const adapters: Record<string, () => Promise<{ bus: Bus; close(): Promise<void> }>> = {
  memory: async () => {
    const bus = memoryBus({ log });
    return { bus, close: () => bus.close() };
  },
  nats: async () => {
    const server = await startNats();
    const bus = await natsBus({ servers: [server.address], log, name: "trace" });
    const close = async () => {
      await bus.close();
      await server.close();
    };
    return { bus, close };
  },
};

for (const [name, open] of Object.entries(adapters))
  describe(`traces over the bus: ${name}`, {
    skip: name === "nats" ? ((await natsMissing()) ?? false) : false,
  }, () => {
    test("an order is a span of who gives it and one of who takes it, in one trace; a refusal leaves its code", async (t) => {
      const { bus, close } = await open();
      t.after(close);
      const recorded = recordSpans();
      t.after(recorded.end);
      const [web, spawn] = [tracedBus(bus, tracerOf("web")), tracedBus(bus, tracerOf("spawn"))];
      const contract = order();
      let inHandler = "";
      spawn.reply(contract, async ({ n }, { traceparent }) => {
        inHandler = traceparent;
        if (n === 2) throw new HubError("SERVER_RUNNING", { message: "words that stay here" });
        return data(n);
      });
      await web.request(contract, data(1));
      const [taken, given] = recorded.spans;
      assert.deepEqual([taken?.service, taken?.name], ["spawn", contract.type]);
      assert.deepEqual([given?.service, given?.name], ["web", contract.type]);
      assert.equal(taken?.options.parent, given?.traceparent);
      assert.equal(inHandler, given?.traceparent);

      await assert.rejects(web.request(contract, data(2)));
      assert.deepEqual(
        recorded.spans.slice(2).map(({ failed }) => failed),
        ["SERVER_RUNNING", "SERVER_RUNNING"],
      );
      assert.ok(!JSON.stringify(recorded.spans).includes("words that stay here"));
    });

    test("an event tells the span it came of, and nothing while telemetry is off", async (t) => {
      const { bus, close } = await open();
      t.after(close);
      const contract = event("notice");
      const got: CloudEvent[] = [];
      const both = Promise.withResolvers<void>();
      bus.subscribe(contract, (_, each) => {
        if (got.push(each) === 2) both.resolve();
      });
      const tracer = tracerOf("spawn");
      bus.notify(contract, data(1), {});
      const recorded = recordSpans();
      t.after(recorded.end);
      const span = tracer.start("work");
      tracer.run(span, () => bus.notify(contract, data(2), {}));
      await both.promise;
      assert.deepEqual(
        got.map(({ traceparent }) => traceparent),
        [undefined, span.traceparent],
      );
    });
  });
