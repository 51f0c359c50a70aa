import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Daylight } from "../src/daylight.ts";
import { decide, type Look } from "../src/policy.ts";

const T0 = Date.parse("2026-11-22T12:00:00.000Z");
const at = (seconds: number): string => new Date(T0 + seconds * 1000).toISOString();
const allLight = (from: number, to: number): number => to - from;

const look = (over: Partial<Look>): Look => ({
  server: { phase: "ready", desired: "running", readyAt: at(0), deletedAt: "" },
  times: undefined,
  now: T0,
  noticed: allLight,
  warnedAt: undefined,
  config: { idleSeconds: 100, maxAgeSeconds: 0, warnSeconds: 10 },
  ...over,
});

describe("the culling policy", () => {
  it("keeps a server used less than idleSeconds ago", () => {
    const times = { report: at(50), traffic: at(20) };
    assert.deepEqual(decide(look({ times, now: T0 + 149_000 })), { do: "keep" });
  });

  it("warns first, with the latest use of any kind", () => {
    const times = { report: at(20), traffic: at(50) };
    assert.deepEqual(decide(look({ times, now: T0 + 150_000 })), {
      do: "warn",
      reason: "idle",
      lastActivity: at(50),
    });
  });

  it("stops once the warning is warnSeconds old", () => {
    const now = T0 + 200_000;
    assert.equal(decide(look({ now, warnedAt: now - 9_999 })).do, "warn");
    assert.equal(decide(look({ now, warnedAt: now - 10_000 })).do, "stop");
  });

  it("counts being ready as use", () => {
    assert.equal(decide(look({ now: T0 + 99_999 })).do, "keep");
    assert.equal(decide(look({ now: T0 + 100_000 })).do, "warn");
  });

  it("does not count time in which use would not have been noticed", () => {
    const noticed = (from: number, to: number): number => Math.max(0, to - from - 60_000);
    assert.equal(decide(look({ noticed, now: T0 + 159_999 })).do, "keep");
    assert.equal(decide(look({ noticed, now: T0 + 160_000 })).do, "warn");
  });

  it("ends a server of maximum age by the calendar, used or not", () => {
    const config = { idleSeconds: 0, maxAgeSeconds: 3600, warnSeconds: 0 };
    const times = { traffic: at(3599) };
    const noticed = (): number => 0;
    assert.equal(decide(look({ config, times, noticed, now: T0 + 3_599_000 })).do, "keep");
    assert.deepEqual(decide(look({ config, times, noticed, now: T0 + 3_600_000 })), {
      do: "stop",
      reason: "max_age",
      lastActivity: at(3599),
    });
  });

  for (const phase of [
    "requested",
    "queued",
    "starting",
    "stopping",
    "unknown",
    "failed",
    "stopped",
  ] as const) {
    it(`leaves a server alone that is ${phase}`, () => {
      const server = { phase, desired: "running", readyAt: at(0), deletedAt: "" } as const;
      assert.deepEqual(decide(look({ server, now: T0 + 9_999_000 })), { do: "keep" });
    });
  }

  it("leaves a server alone that is being stopped already", () => {
    const server = { phase: "ready", desired: "stopped", readyAt: at(0), deletedAt: "" } as const;
    assert.deepEqual(decide(look({ server, now: T0 + 9_999_000 })), { do: "keep" });
  });

  it("does nothing when both limits are off", () => {
    const config = { idleSeconds: 0, maxAgeSeconds: 0, warnSeconds: 0 };
    assert.deepEqual(decide(look({ config, now: T0 + 9_999_999_000 })), { do: "keep" });
  });
});

describe("daylight", () => {
  it("counts the time between good looks only", () => {
    const day = new Daylight();
    day.look(1000, true);
    day.look(2000, true);
    day.look(3000, false);
    day.look(4000, true);
    day.look(6000, true);
    assert.equal(day.between(0, 10_000), 1000 + 2000);
    assert.equal(day.between(1500, 5000), 500 + 1000);
  });

  it("counts nothing before it watched", () => {
    const day = new Daylight();
    assert.equal(day.between(0, 5000), 0);
    day.look(5000, true);
    assert.equal(day.between(0, 5000), 0);
  });

  it("drops the time since the last look when something was lost meanwhile", () => {
    const day = new Daylight();
    day.look(1000, true);
    day.look(2000, true);
    day.darken();
    day.look(3000, true);
    day.look(4000, true);
    assert.equal(day.between(0, 10_000), 2000);
  });

  it("forgets the oldest spans, which only lessens what it counts", () => {
    const day = new Daylight();
    for (let i = 0; i < 3000; i++) day.look(i * 10, i % 3 !== 2);
    assert.ok(day.between(0, 30_000) <= 500 * 10);
    assert.ok(day.between(0, 30_000) > 0);
  });
});
