import assert from "node:assert/strict";
import { test } from "node:test";
import type { Liveness } from "@elara/runtime/liveness";
import type { Store } from "@elara/runtime/store/store";
import { pino } from "pino";
import { hubGauges } from "../src/metrics/hub-gauges.ts";
import { startHub } from "./fixtures/hub.ts";

test("scrapers that come together share an answer", async (t) => {
  const looks: string[] = [];
  const liveness: Liveness = {
    isAlive: () => true,
    live: (service) => {
      looks.push(service);
      return [];
    },
    refresh: async () => undefined,
    close: () => undefined,
  };
  const hub = await startHub({ config: { authenticatePrometheus: false }, liveness });
  t.after(() => hub.close());
  looks.length = 0;
  const scrape = async () => (await hub.app.inject({ url: "/hub/metrics" })).body;
  const texts = await Promise.all(Array.from({ length: 10 }, scrape));
  assert.match(texts[0] ?? "", /^jupyterhub_total_users /m);
  assert.equal(new Set(texts).size, 1);
  assert.equal(looks.filter((service) => service === "spawn").length, 1);
});

test("a count of those active that failed is tried again after a minute, not at each scrape", async () => {
  let tries = 0;
  let ms = 0;
  const log = pino(
    { level: "info" },
    {
      write: (line: string) => {
        if (line.includes("active users")) tries += 1;
      },
    },
  );
  const store = {
    collection: () => {
      throw new Error("away");
    },
  } as unknown as Store;
  const gauges = hubGauges({ store, log, clock: { now: () => 1e12 + ms, monotonic: () => ms } });
  const scrape = async () => {
    await gauges.read();
    await new Promise(setImmediate);
    return tries;
  };
  assert.equal(await scrape(), 1);
  for (; ms < 60_000; ms += 10_000) assert.equal(await scrape(), 1);
  ms = 61_000;
  assert.equal(await scrape(), 2);
});
