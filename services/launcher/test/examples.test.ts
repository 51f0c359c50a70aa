import assert from "node:assert/strict";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { openSettings } from "../src/open-settings.ts";
import { loadServices } from "../src/services.ts";

test("the example of a hub with containers is a configuration without faults", async () => {
  const config = fileURLToPath(new URL("../../../deploy/examples/docker.config.ts", import.meta.url));
  const { settings } = await openSettings({ config }, await loadServices());
  assert.deepEqual(
    settings.spawners.map(({ name, options }) => [name, Object(options).memory]),
    [["docker", "2G"]],
  );
});
