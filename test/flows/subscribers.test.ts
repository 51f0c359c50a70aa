import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { shapeMissing, shapes } from "../fixtures/hub.ts";
import type { Way } from "../fixtures/subscriber.ts";
import { endOfRevoked, followPeople, hubWithReaders, readers } from "../fixtures/trials/subscribers.ts";

for (const shape of shapes) {
  const ways: readonly Way[] = shape === "apart" ? ["nats", "sse"] : ["sse"];
  describe(`subscribers (${shape})`, { skip: await shapeMissing(shape) }, () => {
    let stage: Awaited<ReturnType<typeof hubWithReaders>>;
    before(async () => {
      stage = await hubWithReaders(shape);
    });
    after(() => stage?.hub.close());

    test("of six scopes get exactly what they may", { timeout: 180_000 }, async (t) => {
      for (const { way, results } of await followPeople(stage, ways)) {
        assert.equal(results.length, readers.length);
        for (const { name, scopes, allowed, received, missing, excess } of results) {
          t.diagnostic(`${way}: ${name} (${scopes}): allowed ${allowed}, received ${received}`);
          assert.ok(allowed > 0, `${name} was to get something`);
          assert.deepEqual({ missing, excess }, { missing: [], excess: [] }, `${name} over ${way}`);
        }
        assert.ok(new Set(results.map(({ allowed }) => allowed)).size > 3, "the scopes differ");
      }
    });

    for (const way of ways)
      test(`${way}: the connection of a revoked token ends within 5 s`, { timeout: 60_000 }, async (t) => {
        const ms = await endOfRevoked(stage.hub, way);
        t.diagnostic(`ended ${Math.round(ms)} ms after the revocation`);
        assert.ok(ms < 5000, `it took ${ms} ms`);
      });
  });
}
