import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { testHost } from "@elara/sdk/testing";
import { Value } from "typebox/value";
import plugin from "../src/index.ts";

const TAG = "a".repeat(28);
const ID = "b".repeat(64);

/** An engine whose listing is older than its answer about the one container: that began between the two questions. */
async function engineBetween(status: string) {
  const folder = mkdtempSync(join(tmpdir(), "elara-engine-"));
  const socket = join(folder, "docker.sock");
  const listed = {
    Id: ID,
    Names: [`/elara-${TAG}`],
    Labels: { "org.elara.hub": "test", "org.elara.tag": TAG, "org.elara.port": "8888" },
    State: "created",
    Created: Date.now() / 1000,
    Ports: [],
    HostConfig: { NetworkMode: "default" },
    NetworkSettings: { Networks: {} },
  };
  const isRunning = status === "running";
  const state = {
    Status: status,
    Running: isRunning,
    ExitCode: isRunning ? 0 : 3,
    OOMKilled: false,
    Error: "",
  };
  const server = createServer((request, response) => {
    response.setHeader("content-type", "application/json");
    response.end(
      JSON.stringify(request.url?.startsWith("/containers/json") ? [listed] : { ...listed, State: state }),
    );
  });
  await new Promise<void>((done) => server.listen(socket, done));
  return {
    url: `unix://${socket}`,
    close() {
      server.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

for (const [status, expected] of [
  ["running", "starting"],
  ["paused", "starting"],
  ["restarting", "starting"],
  ["exited", "ended"],
] as const)
  test(`a container that is ${status} by the time it is asked for is ${expected}`, async (t) => {
    const engine = await engineBetween(status);
    const host = testHost({ hubId: "test" });
    t.after(async () => {
      engine.close();
      await host.close();
    });
    const given = { engine: engine.url, images: ["none"] };
    const options = Value.Parse(plugin.options, Value.Default(plugin.options, given));
    const spawner = await plugin.setup(options, host);
    const server = {
      tag: TAG,
      user: { id: "u", name: "ada" },
      server: "",
      handle: { v: 1, container: ID },
      url: "",
    };
    const { rows } = await spawner.observe([server], { signal: t.signal });
    assert.equal(rows[0]?.state, expected);
  });
