import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { it } from "node:test";
import { systemClock } from "@elara/runtime/clock";
import { pino } from "pino";
import { Value } from "typebox/value";
import { openBackends } from "../src/backends.ts";
import { SpawnConfig } from "../src/config.ts";
import { mockSpawner } from "./mock-spawner.ts";
import { MockWorld } from "./mock-world.ts";

it("a spawner's clocks are its entry's, else what the section sets, else its plugin's, else the section's defaults", async (t) => {
  const dataDir = await mkdtemp(join(tmpdir(), "elara-clocks-"));
  t.after(() => rm(dataDir, { recursive: true, force: true }));
  const plugin = {
    ...mockSpawner(new MockWorld()),
    clocks: { submitSeconds: 120, bootSeconds: 300, stopSeconds: 90 },
  };
  const { first } = await openBackends({
    configured: [{ name: "mock", options: {}, plugin, clocks: { bootSeconds: 400 } }],
    config: { ...Value.Create(SpawnConfig), stopSeconds: 20 },
    dataDir,
    hubId: "testhub",
    apiUrl: "",
    internalHost: "127.0.0.1",
    log: pino({ level: "silent" }),
    clock: systemClock,
  });
  const { submitSeconds, bootSeconds, httpSeconds, stopSeconds, graceSeconds } = first.clocks;
  assert.deepEqual(
    { submitSeconds, bootSeconds, httpSeconds, stopSeconds, graceSeconds },
    { submitSeconds: 120, bootSeconds: 400, httpSeconds: 30, stopSeconds: 20, graceSeconds: 10 },
  );
});
