import assert from "node:assert/strict";
import { readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { shapeMissing, shapes, startHub } from "../fixtures/hub.ts";

/** Written by the test itself, before the hub is there. */
const OF_THE_TEST = /elara\.config\.ts$/;

for (const shape of shapes)
  describe(`the data directory, ${shape}`, { skip: await shapeMissing(shape) }, () => {
    test("holds no file that another account can read", async (t) => {
      const before = process.umask(0o022);
      t.after(() => process.umask(before));
      const hub = await startHub({ shape });
      t.after(() => hub.close());
      // With an event in the log.
      const token = await hub.token("root-admin");
      assert.equal((await hub.api(token, "/users/ada", { method: "POST" })).status, 201);
      const files = readdirSync(hub.dataDir, { recursive: true, withFileTypes: true })
        .filter((entry) => entry.isFile())
        .map(({ parentPath, name }) => join(parentPath, name))
        .filter((path) => !OF_THE_TEST.test(path));
      if (shape === "alone") assert.ok(files.some((path) => path.endsWith("events.sqlite-wal")));
      const open = files
        .map((path) => ({ path, mode: statSync(path).mode & 0o077 }))
        .filter(({ mode }) => mode);
      assert.deepEqual(
        open.map(({ path, mode }) => `${path} ${mode.toString(8)}`),
        [],
      );
    });
  });
