import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { shapeMissing, shapes, startHub } from "../fixtures/hub.ts";
import { startKernel } from "../fixtures/kernel.ts";
import { activeServers, startServer } from "../fixtures/server.ts";
import { until } from "../fixtures/until.ts";

const missing = { alone: await shapeMissing("alone"), apart: await shapeMissing("apart") };

// Side by side: they wait most of their time.
describe("the culler ends an idle server within seconds and leaves one whose kernel computes", {
  concurrency: true,
}, () => {
  for (const shape of shapes)
    test(shape, { skip: missing[shape], timeout: 180_000 }, async (t) => {
      const hub = await startHub({
        shape,
        config: { culler: { idleSeconds: 12, everySeconds: 2, warnSeconds: 2 } },
      });
      t.after(() => hub.close());
      const [idle, busy] = [await hub.token("idle"), await hub.token("busy")];
      await Promise.all([startServer(hub, idle, "idle"), startServer(hub, busy, "busy")]);
      const kernel = await startKernel(hub.url, "busy", busy);
      kernel.start("import time\ntime.sleep(600)");
      // The browser goes away while the kernel computes: no traffic is left to tell of it.
      await until("the kernel to be busy", async () => {
        const answer = await fetch(`${hub.url}/user/busy/api/kernels`, {
          headers: { authorization: `token ${busy}` },
        });
        const kernels = (await answer.json()) as { execution_state: string }[];
        return kernels[0]?.execution_state === "busy";
      });
      kernel.close();
      await until(
        "the idle one to be culled",
        async () => !(await activeServers(hub, idle, "idle"))[""],
        60_000,
      );
      assert.equal(
        (await activeServers(hub, busy, "busy"))[""]?.ready,
        true,
        "the computing one is left alone",
      );
      // Two more idle periods of watching.
      const end = performance.now() + 24_000;
      await until("the idle time to pass twice", () => performance.now() > end);
      assert.equal((await activeServers(hub, busy, "busy"))[""]?.ready, true, "still left alone");
    });
});
