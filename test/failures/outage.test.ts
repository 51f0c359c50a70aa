import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { shapeMissing, startHub, type TestHub } from "../fixtures/hub.ts";
import { startKernel } from "../fixtures/kernel.ts";
import { logInByForm } from "../fixtures/login.ts";
import { navigate } from "../fixtures/navigate.ts";
import { startServer } from "../fixtures/server.ts";
import { until } from "../fixtures/until.ts";

/** How long the backend stays away. */
const AWAY_MS = 60_000;

// Side by side: they wait most of their time.
describe(`away for ${AWAY_MS / 1000} s`, { concurrency: true, skip: await shapeMissing("apart") }, () => {
  for (const backend of ["nats", "mongo"] as const)
    test(`${backend}: notebooks go on, orders answer 503 with Retry-After, and all works again after`, {
      timeout: 300_000,
    }, async (t) => {
      const hub: TestHub = await startHub({ shape: "apart" });
      t.after(() => hub.close());
      const [ada, grace] = [await hub.token("ada"), await hub.token("grace")];
      await startServer(hub, ada, "ada");
      const kernel = await startKernel(hub.url, "ada", ada);
      t.after(() => kernel.close());
      const cookie = await logInByForm(hub.url, "grace");
      await hub.api(grace, "/user");
      const pids = hub.pids();

      await hub[backend]?.kill();
      const end = performance.now() + AWAY_MS;
      const order = await until("an order to be refused", async () => {
        const answer = await hub.api(grace, "/users/grace/server", { method: "POST" });
        return answer.status === 503 ? answer : undefined;
      });
      assert.ok(Number(order.headers.get("retry-after")) > 0);
      const { code, message } = (await order.json()) as { code: string; message: string };
      assert.match(code, backend === "nats" ? /^BUS_/ : /^STORE_AWAY$/);
      assert.match(message, /running servers go on/i);

      const page = await navigate(`${hub.url}/hub/spawn`, cookie);
      assert.equal(page.status, 503);
      assert.ok(Number(page.headers["retry-after"]) > 0);
      assert.match(page.html, /running servers go on/i);

      let asked = 0;
      while (performance.now() < end) {
        assert.equal(await kernel.run(`print(${++asked} * 7)`), String(asked * 7));
        assert.equal((await fetch(`${hub.url}/hub/health`)).status, 200);
        await sleep(2000);
      }
      assert.deepEqual(hub.pids(), pids, "no process ended");

      await hub[backend]?.restart();
      await until("a start to work again", async () => {
        await startServer(hub, grace, "grace", 20_000);
        return true;
      });
      assert.equal(await kernel.run("print('still here')"), "still here");
    });
});
