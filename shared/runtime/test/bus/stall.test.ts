import { strict as assert } from "node:assert";
import { it, type TestContext } from "node:test";
import { watchLoop } from "../../src/bus/loop-watch.ts";
import { memoryNetwork } from "../../src/bus/memory.ts";
import { busOver, type PausableBus } from "../../src/bus/over-wire.ts";
import { testClock } from "../fixtures/clock.ts";
import { silentLog as log } from "../fixtures/log.ts";
import { weigh } from "./weigh.ts";

/** A caller and a replier as in two processes; `before` happens as an order comes in. */
function bench(t: TestContext, before: (parts: { bus: PausableBus; forward(ms: number): void }) => void) {
  const network = memoryNetwork();
  const clock = testClock();
  const caller = busOver(network.wire(), { log, name: "caller" });
  const beforeOrder = () => before({ bus, forward: clock.forward });
  const bus = busOver(network.wire(), { log, name: "replier", clock, beforeOrder });
  t.after(() => Promise.all([caller.close(), bus.close()]));
  const handled: number[] = [];
  bus.reply(weigh, async ({ n }) => {
    handled.push(n);
    return { n };
  });
  return { bus, handled, order: (n: number) => caller.request(weigh, { n, ballast: "" }) };
}

it("a stall is told to whoever looks before the next tick, once", (t) => {
  const clock = testClock();
  const stalls: number[] = [];
  const watch = watchLoop({ clock, onStall: (lateMs) => stalls.push(lateMs), onCaughtUp: () => {} });
  t.after(() => watch.close());
  clock.forward(1200);
  watch.look();
  assert.deepEqual(stalls, []);
  clock.forward(1);
  watch.look();
  watch.look();
  assert.deepEqual(stalls, [1001]);
});

it("the order with which a stall is noticed is dropped, and taken when it is repeated", async (t) => {
  let isFirst = true;
  const { handled, order } = bench(t, ({ bus }) => {
    if (!isFirst) return;
    isFirst = false;
    bus.pause();
    bus.resume();
  });
  const began = performance.now();
  assert.deepEqual(await order(1), { n: 1 });
  assert.ok(performance.now() - began >= 290, "by a repetition");
  assert.deepEqual(handled, [1]);
});

it("an order whose turn comes more than a second after it did is dropped", async (t) => {
  let isFirst = true;
  const { handled, order } = bench(t, ({ forward }) => {
    if (isFirst) queueMicrotask(() => forward(1001));
    isFirst = false;
  });
  const began = performance.now();
  assert.deepEqual(await order(1), { n: 1 });
  assert.ok(performance.now() - began >= 290, "by a repetition");
  assert.deepEqual(handled, [1]);
});
