import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { spawnerPlugin, Type } from "@elara/sdk";
import { loadPlugin, pluginFaults } from "../src/plugins/load.ts";

const spawner = (...names: string[]) =>
  spawnerPlugin({
    name: "box",
    options: Type.Object(Object.fromEntries(names.map((name) => [name, Type.String({ default: "" })]))),
    handle: Type.Object({}),
    errors: {},
    setup: () => {
      throw new Error("is not set up here");
    },
  });

test("a spawner may call its options as it likes, but for words that mean something else in a start", () => {
  assert.deepEqual(pluginFaults("spawner", spawner("image", "profiles", "name")), []);
  for (const name of ["profile", "user_options", "display_name"]) {
    const [fault = "", ...more] = pluginFaults("spawner", spawner("image", name));
    assert.deepEqual(more, []);
    assert.match(fault, new RegExp(`^the option \`${name}\` needs another name`));
  }
});

/** Loads a file of this text where "box" is built in. */
function load(t: TestContext, text: string, more: { loadMs?: number } = {}) {
  const folder = mkdtempSync(join(tmpdir(), "elara-plugin-"));
  t.after(() => rmSync(folder, { recursive: true }));
  writeFileSync(join(folder, "mine.ts"), text);
  const builtIns = { box: async () => ({ default: spawner() }) };
  return loadPlugin("spawner", "./mine.ts", {
    builtIns,
    configFile: join(folder, "elara.config.ts"),
    ...more,
  });
}

test("a plugin that never finishes loading is told with its file", async (t) => {
  await assert.rejects(load(t, "await new Promise(() => {});\nexport default {};\n", { loadMs: 50 }), {
    code: "PLUGIN_INVALID",
    operator: /^The spawner \/\S+\/mine\.ts does not finish loading within 0\.05 s: /,
  });
});

test("a plugin of one's own has a name of its own; one around a built-in may keep that", async (t) => {
  const text = (more: string) =>
    `import { spawnerPlugin, Type } from "@elara/sdk";
     const empty = Type.Object({});
     export default { ...spawnerPlugin({ name: "box", options: empty, handle: empty, errors: {}, setup() { throw new Error(); } }), ${more} };`;
  await assert.rejects(load(t, text("")), {
    code: "PLUGIN_INVALID",
    operator: 'The spawner "./mine.ts": its `name` is "box", which comes with the hub; give it another.',
  });
  assert.equal((await load(t, text('wraps: "box"'))).name, "box");
});
