import { strict as assert } from "node:assert";
import { it } from "node:test";
import { newId } from "../../id.ts";
import { cloud, data, event, order, refusal, type SuiteBench, until } from "./bench.ts";

/** What the bus promises when its server goes and comes back. */
export function outagePromises({ connect, settled, down, up }: SuiteBench): void {
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

    await down();
    await until(() => !here.connected && !there.connected, "both see it gone");
    const began = performance.now();
    await assert.rejects(here.request(asked, data(1)), refusal("BUS_AWAY"));
    await assert.rejects(here.publish(fact, cloud(fact, 1), {}), refusal("BUS_AWAY"));
    await assert.rejects(here.publish(told, cloud(told, 1), {}), refusal("BUS_AWAY"));
    here.notify(told, data(1), {});
    assert.ok(performance.now() - began < 500);

    await up();
    await until(() => here.connected && there.connected, "both are back");
    assert.deepEqual(changes, [false, true]);
    await settled(here, there);
    here.notify(told, data(2), { userId: newId() });
    await here.publish(fact, cloud(fact, 2), {});
    await until(() => got.length === 2, "an event of each kind after the return");
    // Two subscriptions: which of them is told first is not promised.
    assert.deepEqual(new Set(got), new Set(["notice 2", "fact 2"]));
    assert.deepEqual(await here.request(asked, data(3)), data(3));
  });
}
