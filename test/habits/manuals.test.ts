import assert from "node:assert/strict";
import { test } from "node:test";
import { eventsManual, eventsManualOnDisk, schemaFiles, schemaFilesOnDisk } from "@elara/contracts/generate";
import { manualOnDisk, manuals } from "@elara/launcher/generate";

test("EVENTS.md is current (else: npm run docs)", async () => {
  assert.equal(await eventsManualOnDisk(), eventsManual());
});

test("shared/contracts/schemas is current (else: npm run docs)", async () => {
  const [wanted, there] = [schemaFiles(), await schemaFilesOnDisk()];
  assert.deepEqual([...there.keys()].sort(), [...wanted.keys()].sort());
  for (const [name, text] of wanted) assert.equal(there.get(name), text, name);
});

for (const name of ["CONFIG.md", "ERRORS.md"] as const) {
  test(`${name} is current (else: npm run docs)`, async () => {
    assert.equal(await manualOnDisk(name), await manuals[name]());
  });
}
