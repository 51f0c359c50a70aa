import assert from "node:assert/strict";
import { test } from "node:test";
import { eventsManual, eventsManualOnDisk } from "@elara/contracts/generate";
import { manualOnDisk, manuals } from "@elara/launcher/generate";

test("EVENTS.md is current (else: npm run docs)", async () => {
  assert.equal(await eventsManualOnDisk(), eventsManual());
});

for (const name of ["CONFIG.md", "ERRORS.md"] as const) {
  test(`${name} is current (else: npm run docs)`, async () => {
    assert.equal(await manualOnDisk(name), await manuals[name]());
  });
}
