import assert from "node:assert/strict";
import { test } from "node:test";
import { PluginError } from "@elara/sdk";
import { pluginFaultWords } from "../src/plugins/fault-words.ts";

const errors = { BOX_OPTION: { status: 400, user: "It cannot be.", operator: "An option cannot be." } };
const place = { path: "spawners[0].options", errors, secrets: ["hush"] };
const words = (options: ConstructorParameters<typeof PluginError>[2]) =>
  pluginFaultWords(new PluginError(errors, "BOX_OPTION", options), place);

test("what a plugin throws is told at the option it names, down to the entry its sentence begins with", () => {
  assert.equal(words({}), "BOX_OPTION: An option cannot be.");
  assert.equal(words({ field: "cores" }), "spawners[0].options.cores: BOX_OPTION: An option cannot be.");
  assert.equal(
    words({ field: "volumes", operator: "volumes[1].source: is none" }),
    "spawners[0].options.volumes[1].source: BOX_OPTION: is none",
  );
  assert.equal(
    words({ field: "memory", operator: "memory of 4 is too little" }),
    "spawners[0].options.memory: BOX_OPTION: memory of 4 is too little",
  );
});

test("with its own words, detail and causes, each once, and no secret", () => {
  assert.equal(
    words({ field: "cores", message: "9 are too many.", detail: "of hush", cause: new Error("9 are") }),
    "spawners[0].options.cores: BOX_OPTION: An option cannot be. (9 are too many.; of [secret])",
  );
  const cause = new Error("cores: too many");
  assert.equal(
    words({ field: "cores", operator: cause.message, cause }),
    "spawners[0].options.cores: BOX_OPTION: too many",
  );
});
