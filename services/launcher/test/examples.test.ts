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

test("the hub of the compose file is a configuration without faults, reached over TLS alone", async () => {
  const config = fileURLToPath(new URL("../../../deploy/compose/config/elara.config.ts", import.meta.url));
  const { settings } = await openSettings({ config }, await loadServices());
  const { tls, insecure, behindProxy } = settings.hub.network;
  assert.match(tls?.certificate ?? "", /\/compose\/config\/tls\/certificate\.pem$/);
  assert.deepEqual([insecure, behindProxy, settings.bus.use], [false, false, "nats"]);
});
