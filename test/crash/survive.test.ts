import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { shapeMissing, startHub, type TestHub } from "../fixtures/hub.ts";
import { startKernel } from "../fixtures/kernel.ts";
import { type Process, serversOf } from "../fixtures/processes.ts";
import { activeServers, startServer, stopServer } from "../fixtures/server.ts";
import { until } from "../fixtures/until.ts";

const VICTIMS = ["auth-1", "spawn-1", "spawn-2", "web-1", "culler", "nats", "mongo"] as const;
/** How long a hub that is whole again may take until all is as before. */
const RECOVERY_MS = 15_000;
const identity = ({ pid, startTime }: Process): string => `${pid}@${startTime}`;

/** Ends one process with SIGKILL and waits until another one has taken its place. */
async function killAndReturn(hub: TestHub, victim: (typeof VICTIMS)[number]): Promise<void> {
  if (victim === "nats" || victim === "mongo") {
    const backend = hub[victim];
    assert.ok(backend);
    await backend.kill();
    await backend.restart();
    return;
  }
  const pid = hub.pids()[victim] ?? 0;
  process.kill(pid, "SIGKILL");
  await until(`${victim} to come back`, () => {
    const now = hub.pids()[victim] ?? 0;
    return now > 0 && now !== pid;
  });
}

describe("a notebook computes while a process of the hub is killed", {
  skip: await shapeMissing("apart"),
}, () => {
  test("its socket stays, its process stays, and a new start works", { timeout: 400_000 }, async (t) => {
    const hub = await startHub({ shape: "apart" });
    t.after(() => hub.close());
    const token = await hub.token("ada");
    await startServer(hub, token, "ada");
    const kernel = await startKernel(hub.url, "ada", token);
    t.after(() => kernel.close());
    const ticks = kernel.start(
      "import time\nfor i in range(100000):\n    print(i, flush=True)\n    time.sleep(0.2)",
    );
    await until("the kernel to compute", () => ticks.printed() !== "");
    const before = serversOf(hub.internalUrl).map(identity);
    assert.equal(before.length, 1);

    for (const victim of VICTIMS) {
      await t.test(`kill -9 ${victim}`, async () => {
        await killAndReturn(hub, victim);
        const printed = ticks.printed().length;
        const visitor = `visitor-${victim}`;
        await until(
          "a new start to work",
          async () => {
            const visitorToken = await hub.token(visitor);
            await startServer(hub, visitorToken, visitor, RECOVERY_MS);
            return true;
          },
          RECOVERY_MS * 2,
        );
        assert.ok(kernel.isOpen(), "the kernel's socket was not closed");
        await until("the computation to go on", () => ticks.printed().length > printed, RECOVERY_MS);
        const mine = serversOf(hub.internalUrl).filter(
          ({ environment }) => environment.JUPYTERHUB_USER === "ada",
        );
        assert.deepEqual(mine.map(identity), before, "same process");
        await until(
          "the API to show it ready",
          async () => (await activeServers(hub, token, "ada"))[""]?.ready,
          RECOVERY_MS,
        );
        await stopServer(hub, await hub.token(visitor), visitor);
      });
    }
  });
});
