import assert from "node:assert/strict";
import { test } from "node:test";
import { spawnerPlugin, Type } from "@elara/sdk";
import { pluginFaults } from "../src/plugins/load.ts";

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
