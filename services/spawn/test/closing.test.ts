import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, it, type TestContext } from "node:test";
import { systemClock } from "@elara/runtime/clock";
import type { SpawnerHost } from "@elara/sdk";
import { pino } from "pino";
import { Value } from "typebox/value";
import { openBackends } from "../src/backends.ts";
import { SpawnConfig } from "../src/config.ts";
import { mockSpawner } from "./mock-spawner.ts";
import { MockWorld } from "./mock-world.ts";

/** Opens a spawner for each of these, which is what it does when it is set up. */
async function open(t: TestContext, ...setUps: ((host: SpawnerHost) => void)[]) {
  const dataDir = await mkdtemp(join(tmpdir(), "elara-closing-"));
  t.after(() => rm(dataDir, { recursive: true, force: true }));
  const mock = mockSpawner(new MockWorld());
  const logged: string[] = [];
  const opened = openBackends({
    configured: setUps.map((setUp, index) => ({
      name: `mock${index}`,
      options: {},
      plugin: {
        ...mock,
        setup(_: object, host: SpawnerHost) {
          setUp(host);
          return mock.setup(Value.Create(mock.options), host);
        },
      },
    })),
    config: Value.Create(SpawnConfig),
    dataDir,
    hubId: "testhub",
    apiUrl: "",
    internalHost: "127.0.0.1",
    log: pino({}, { write: (line: string) => void logged.push(line) }),
    clock: systemClock,
  });
  return { opened, logged };
}

describe("what plugins leave for their end", () => {
  it("runs when a later spawner cannot be set up", async (t) => {
    const closed: string[] = [];
    const { opened } = await open(
      t,
      (host) => host.onClose(() => void closed.push("first")),
      (host) => {
        host.onClose(() => void closed.push("second"));
        throw new TypeError("not today");
      },
    );
    await assert.rejects(opened, /not today/);
    assert.deepEqual(closed, ["second", "first"]);
  });

  it("runs whole, the last first, whichever part of it fails, and that is logged", async (t) => {
    const closed: string[] = [];
    const { opened, logged } = await open(t, (host) => {
      host.onClose(() => void closed.push("first"));
      host.onClose(() => {
        throw new TypeError("a synchronous one");
      });
      host.onClose(() => Promise.reject(new TypeError("a late one")));
      host.onClose(() => void closed.push("last"));
    });
    await (await opened).close();
    assert.deepEqual(closed, ["last", "first"]);
    assert.deepEqual(
      logged.map((line) => JSON.parse(line).err.message),
      ["a late one", "a synchronous one"],
    );
  });
});
