import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { HubError } from "@elara/contracts";
import { withPatience } from "../src/store-patience.ts";

/** A store that is away for so many calls. */
function slowStore(awayFor: number, code = "STORE_AWAY") {
  const seen = { calls: 0, told: 0 };
  const log = { warn: () => void seen.told++ };
  const read = async () => {
    seen.calls++;
    if (seen.calls <= awayFor) throw new HubError(code);
    return "read";
  };
  return { seen, log, read };
}

describe("a start whose store is slow at first", () => {
  test("waits, says so once, and goes on", async () => {
    const { seen, log, read } = slowStore(3);
    assert.equal(await withPatience(read, log, { patienceMs: 60_000, againMs: 1 }), "read");
    assert.deepEqual(seen, { calls: 4, told: 1 });
  });

  test("ends with the reason when it stays away", async () => {
    const { seen, log, read } = slowStore(Number.POSITIVE_INFINITY);
    await assert.rejects(withPatience(read, log, { patienceMs: 20, againMs: 5 }), { code: "STORE_AWAY" });
    assert.ok(seen.calls > 1 && seen.told === 1, JSON.stringify(seen));
  });

  test("ends at once with anything else", async () => {
    const { seen, log, read } = slowStore(1, "CONFIG_KEYS_DIFFER");
    await assert.rejects(withPatience(read, log), { code: "CONFIG_KEYS_DIFFER" });
    assert.deepEqual(seen, { calls: 1, told: 0 });
  });
});
