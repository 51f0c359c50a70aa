import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { PluginError, type PluginErrors, spawnerPlugin, Type } from "@elara/sdk";
import type { ProfileEntry } from "../src/profiles/profile-entry.ts";
import { valueFaults } from "../src/profiles/value-faults.ts";

const errors: PluginErrors = {
  BOX_OPTION: { status: 400, user: "It cannot be.", operator: "An option cannot be." },
  BOX_AWAY: { status: 503, user: "Away.", operator: "The engine is away." },
};
const plugin = spawnerPlugin({
  name: "box",
  options: Type.Object(
    {
      room: Type.String({ default: "small", userChoice: true }),
      memory: Type.String({ default: "", userChoice: "named" }),
      cpus: Type.Number({ default: 0, minimum: 0, userChoice: "named" }),
      tags: Type.Array(Type.String(), { default: [], userChoice: "named" }),
    },
    { additionalProperties: false },
  ),
  handle: Type.Object({}),
  errors,
  setup: () => {
    throw new Error("is not set up here");
  },
});
type Rules = (options: Record<string, unknown>) => void;
const refuse = (field: string, operator: string) =>
  new PluginError(errors, "BOX_OPTION", { field, operator });

/** Memory has a unit; no more than 2 processors, 8 in the large room; no bad tags. */
const rules: Rules = ({ room, memory, cpus, tags }) => {
  if (/^\d+$/.test(String(memory))) throw refuse("memory", `memory: ${memory} has no unit.`);
  if (Number(cpus) > (room === "large" ? 8 : 2)) throw refuse("cpus", `cpus: ${cpus} are too many.`);
  if (String(tags).includes("bad")) throw refuse("tags", "tags[0]: is bad.");
};
const configured = { room: "small", memory: "", cpus: 0, tags: [] };

const faults = (
  fields: NonNullable<ProfileEntry["fields"]>,
  { checkOptions = rules, room }: { checkOptions?: Rules; room?: string[] } = {},
) =>
  valueFaults(
    [{ slug: "p", title: "P", spawner: "box", fields }],
    [{ name: "box", plugin, configured, spawner: { checkOptions } }],
    { offers: new Map([["box", room ? { room: { enum: room } } : {}]]), ms: 1_000 },
  );
const at = (path: string, words: string) => `spawn.profiles[0].fields.${path}: BOX_OPTION: ${words}`;

describe("values that a profile offers and its plugin always refuses", () => {
  it("are told one by one, each at its place", async () => {
    assert.deepEqual(await faults({ memory: { enum: ["2G", "1", "3"], default: "2G" } }), [
      at("memory.enum[1]", "1 has no unit."),
      at("memory.enum[2]", "3 has no unit."),
    ]);
    assert.deepEqual(await faults({ cpus: { minimum: 1, maximum: 64 } }), [
      at("cpus.maximum", "64 are too many."),
    ]);
    assert.deepEqual(await faults({ tags: { enum: ["good", "bad"] } }), [at("tags.enum[1]", "is bad.")]);
  });

  it("are none where another choice makes them possible, also one that the backend offers", async () => {
    const cpus = { enum: [1, 4] };
    assert.deepEqual(await faults({ cpus, room: { enum: ["small", "large"] } }), []);
    assert.deepEqual(await faults({ cpus, room: true }, { room: ["small", "large"] }), []);
    assert.deepEqual(await faults({ cpus, room: { enum: ["small"] } }), [
      at("cpus.enum[1]", "4 are too many."),
    ]);
    const tooMany = { enum: [1, 9] };
    assert.deepEqual(await faults({ cpus: tooMany, room: { enum: ["small", "large"] } }), [
      at("cpus.enum[1]", "9 are too many."),
    ]);
  });

  it("are told with the other option that the plugin names, where users cannot change it", async () => {
    const checkOptions: Rules = ({ memory, cpus }) => {
      if (memory === "2G" && cpus === 0) throw refuse("cpus", "is needed with 2G.");
    };
    assert.deepEqual(await faults({ memory: { enum: ["1G", "2G"] } }, { checkOptions }), [
      "spawn.profiles[0].fields.memory.enum[1]: cpus: BOX_OPTION: is needed with 2G.",
    ]);
  });

  it("are not guessed of while the plugin cannot tell", async () => {
    const checkOptions: Rules = () => {
      throw new PluginError(errors, "BOX_AWAY");
    };
    assert.deepEqual(await faults({ memory: { enum: ["1"] } }, { checkOptions }), []);
  });
});
