import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Value } from "typebox/value";
import { CullerConfig } from "../src/config.ts";
import { endsAny, limitFaults, limitsOf } from "../src/limits.ts";

const config = (over: Partial<CullerConfig>): CullerConfig => ({ ...Value.Create(CullerConfig), ...over });

describe("limits of servers", () => {
  it("go from the profile over the spawner to all", () => {
    const given = config({
      idleSeconds: 100,
      maxAgeSeconds: 1000,
      perSpawner: { batch: { idleSeconds: 200, maxAgeSeconds: 0 } },
      perProfile: { gpu: { idleSeconds: 50 } },
    });
    const of = (backend: string, profile: string) => Object.values(limitsOf(given, { backend, profile }));
    assert.deepEqual(of("local", ""), [100, 1000]);
    assert.deepEqual(of("batch", "cpu"), [200, 0]);
    assert.deepEqual(of("batch", "gpu"), [50, 0]);
    assert.deepEqual(of("local", "gpu"), [50, 1000]);
  });

  it("are looked at when any of them can end a server", () => {
    assert.equal(endsAny(config({})), false);
    assert.equal(endsAny(config({ maxAgeSeconds: 1 })), true);
    assert.equal(endsAny(config({ perSpawner: { batch: { idleSeconds: 0 } } })), false);
    assert.equal(endsAny(config({ perProfile: { gpu: { idleSeconds: 1 } } })), true);
  });

  it("of a spawner or a profile that is not there are a fault", () => {
    const given = config({
      perSpawner: { bacth: {}, local: {} },
      perProfile: { gpu: {}, larg: {} },
    });
    assert.deepEqual(limitFaults(given, [{ name: "batch" }, { name: "local" }], ["gpu", "large"]), [
      { path: "perSpawner.bacth", message: 'there is no spawner "bacth"; did you mean `batch`?' },
      { path: "perProfile.larg", message: 'there is no profile "larg"; did you mean `large`?' },
    ]);
  });
});
