import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, type TestContext, test } from "node:test";
import { startHub } from "../fixtures/hub.ts";
import { listingModules, loadedModules } from "../fixtures/loaded-modules.ts";

/** What a hub that served a page and ended had loaded of OpenTelemetry and of the metrics' library. */
async function loadedBy(t: TestContext, more: { endpoint?: string; scraped?: boolean }): Promise<string[]> {
  const folder = mkdtempSync(join(tmpdir(), "elara-modules-"));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const hub = await startHub({
    shape: "alone",
    config: { telemetry: { endpoint: more.endpoint ?? "" } },
    env: listingModules(folder),
  });
  try {
    assert.ok((await fetch(`${hub.url}/hub/login`)).ok);
    if (more.scraped) {
      const token = await hub.token("root-admin");
      const headers = { authorization: `token ${token}` };
      assert.equal((await fetch(`${hub.url}/hub/metrics`, { headers })).status, 200);
    }
  } finally {
    await hub.close();
  }
  const modules = loadedModules(folder);
  assert.ok(
    modules.some((url) => url.includes("/fastify/")),
    "the list has what is surely loaded",
  );
  return modules.filter((url) => /node_modules\/(@opentelemetry|prom-client)\//.test(url));
}

describe("telemetry that is off", () => {
  test("loads nothing", { timeout: 120_000 }, async (t) => {
    assert.deepEqual(await loadedBy(t, {}), []);
  });

  test("is loaded when it is on, and the metrics' library when somebody scrapes", {
    timeout: 240_000,
  }, async (t) => {
    // Nobody listens there: the hub does not mind.
    const on = await loadedBy(t, { endpoint: "http://127.0.0.1:9" });
    assert.ok(on.some((url) => url.includes("/@opentelemetry/sdk-trace/")));
    assert.ok(!on.some((url) => url.includes("/prom-client/")));
    const scraped = await loadedBy(t, { scraped: true });
    assert.ok(scraped.some((url) => url.includes("/prom-client/")));
  });
});
