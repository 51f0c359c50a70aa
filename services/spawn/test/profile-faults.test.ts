import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { spawnerPlugin, Type } from "@elara/sdk";
import { offeredProfile } from "../src/profiles/offered-profile.ts";
import type { ProfileEntry } from "../src/profiles/profile-entry.ts";
import { profileFaults } from "../src/profiles/profile-faults.ts";

const plugin = spawnerPlugin({
  name: "box",
  options: Type.Object(
    {
      image: Type.String({ default: "a:1", pattern: "^[a-z]+:", userChoice: true }),
      size: Type.Union([Type.Literal("small"), Type.Literal("large")], {
        default: "small",
        userChoice: true,
      }),
      cores: Type.Integer({ default: 1, minimum: 1, maximum: 8, userChoice: true }),
      memory: Type.String({ default: "", pattern: "^\\d+G$|^$", userChoice: "named" }),
      token: Type.String({ default: "", secret: true }),
      socket: Type.String({ default: "/run/box.sock" }),
      labels: Type.Record(Type.String(), Type.String(), { default: {}, perStart: true }),
      volumes: Type.Array(
        Type.Object(
          { source: Type.String(), readOnly: Type.Boolean({ default: false }) },
          { additionalProperties: false },
        ),
        { default: [], perStart: true, userChoice: "named" },
      ),
    },
    { additionalProperties: false },
  ),
  handle: Type.Object({}),
  errors: {},
  setup: () => {
    throw new Error("is not set up here");
  },
});

/** Faults of one profile on the spawner "box", as lines. */
const faults = (...profiles: Partial<ProfileEntry>[]): string[] =>
  profileFaults(
    profiles.map((profile, index) => ({ slug: `p${index}`, title: "P", spawner: "box", ...profile })),
    [{ name: "box", plugin, options: {} }],
  ).map(({ path, message }) => `${path}: ${message}`);
const fields = (fields: NonNullable<ProfileEntry["fields"]>) => faults({ fields });

describe("profiles of a configuration", () => {
  it("may narrow what the plugin lets users choose, and set what it reads at each start", () => {
    const profile: Partial<ProfileEntry> = {
      options: { labels: { room: "north" }, cores: 4, memory: "4G" },
      fields: {
        image: { enum: ["a:1", "b:2"], default: "b:2", title: "Image" },
        size: true,
        cores: { maximum: 6, minimum: 2 },
      },
      visibleTo: { users: ["ada"] },
    };
    assert.deepEqual(faults(profile, { visibleTo: { admins: true }, fields: {} }), []);
  });

  it("offer what costs something only where they name it", () => {
    const entry = { slug: "p", title: "P", spawner: "box" };
    const backend = { plugin, configured: {} };
    const names = (given: ProfileEntry) =>
      offeredProfile(given, 0, { backend, offer: {} }).fields.map(({ name }) => name);
    assert.deepEqual(names(entry), ["image", "size", "cores"]);
    const memory = { enum: ["1G", "4G"] };
    assert.deepEqual(names({ ...entry, fields: { memory } }), ["memory"]);
    assert.deepEqual(fields({ memory }), []);
  });

  it("name a spawner that is there, once, for somebody", () => {
    assert.deepEqual(faults({ spawner: "bxo" }), [
      'profiles[0].spawner: there is no spawner "bxo"; did you mean `box`?',
    ]);
    assert.deepEqual(faults({ slug: "a" }, { slug: "b" }, { slug: "a" }), [
      'profiles[2].slug: is "a", as profiles[0].slug is',
    ]);
    assert.match(faults({ visibleTo: {} }).join(), /profiles\[0\]\.visibleTo: names nobody/);
    assert.match(faults({ visibleTo: { users: [], admins: false } }).join(), /names nobody/);
  });

  it("name options the plugin has, with values it takes, and no secrets", () => {
    assert.deepEqual(faults({ options: { imge: "a:1" } }), [
      'profiles[0].options.imge: is no option of the spawner "box"; did you mean `image`?',
    ]);
    assert.deepEqual(faults({ options: { cores: 9 } }), ["profiles[0].options.cores: must be <= 8, got 9"]);
    assert.match(faults({ options: { token: "t" } }).join(), /options\.token: is a secret/);
  });

  it("may leave out in lists what has a default, and the server gets it", () => {
    const volumes = [{ source: "data" }];
    const whole = [{ source: "data", readOnly: false }];
    assert.deepEqual(faults({ options: { volumes }, fields: { volumes: { default: volumes } } }), []);
    const entry = { slug: "p", title: "P", spawner: "box" };
    const backend = { plugin, configured: {} };
    const fixed = offeredProfile({ ...entry, options: { volumes } }, 0, { backend, offer: {} });
    assert.deepEqual(fixed.options, { volumes: whole });
    const chosen = { ...entry, fields: { volumes: { default: volumes } } };
    assert.deepEqual(offeredProfile(chosen, 0, { backend, offer: {} }).fields[0]?.schema.default, whole);
    assert.match(
      faults({ options: { volumes: [{ readOnly: true }] } }).join(),
      /volumes\[0\]\.source: is missing/,
    );
  });

  it("name no option by a word that every object knows", () => {
    for (const word of ["constructor", "__proto__", "toString"]) {
      const unknown = `is no option of the spawner "box"`;
      const named = JSON.parse(`{ "${word}": true }`);
      assert.match(faults({ options: named }).join(), new RegExp(`options\\.${word}: ${unknown}`));
      assert.match(fields(named).join(), new RegExp(`fields\\.${word}: ${unknown}`));
    }
  });

  it("are for users by names that somebody can have", () => {
    assert.deepEqual(faults({ visibleTo: { users: ["Ada", "bob@example.org"] } }), []);
    assert.deepEqual(faults({ visibleTo: { users: ["ada", "the admins"] } }), [
      `profiles[0].visibleTo.users[1]: "the admins" can be nobody's name: letters, digits and ._@+- only, 64 at most`,
    ]);
    const entry = { slug: "p", title: "P", spawner: "box", visibleTo: { users: [" Ada"] } };
    const profile = offeredProfile(entry, 0, { backend: { plugin, configured: {} }, offer: {} });
    assert.deepEqual(profile.visibleTo.users, ["ada"]);
  });

  it("cannot set what the plugin reads once, when the hub starts", () => {
    assert.deepEqual(faults({ options: { socket: "/run/other.sock" } }), [
      'profiles[0].options.socket: cannot be set by a profile; it belongs to the options of the spawner "box"',
    ]);
  });

  it("offer only options that users may choose", () => {
    assert.deepEqual(fields({ socket: true }), [
      'profiles[0].fields.socket: is no choice of users; the spawner "box" offers: image, size, cores, memory, volumes',
    ]);
    assert.match(fields({ immage: true }).join(), /is no option of the spawner "box"; did you mean `image`/);
  });

  it("are told at their keyword what widens, has no meaning or leaves nothing", () => {
    assert.deepEqual(fields({ cores: { maximum: 16, minimum: 0 } }), [
      "profiles[0].fields.cores.minimum: is 0, the spawner's own is 1; it can only narrow",
      "profiles[0].fields.cores.maximum: is 16, the spawner's own is 8; it can only narrow",
    ]);
    assert.deepEqual(fields({ cores: { minimum: 5, maximum: 4 } }), [
      "profiles[0].fields.cores: leaves nothing to choose",
    ]);
    assert.deepEqual(fields({ size: { enum: ["small", "huge"] } }), [
      'profiles[0].fields.size.enum[1]: must be one of "small", "large", got "huge"',
    ]);
    assert.deepEqual(fields({ image: { enum: [] } }), ["profiles[0].fields.image: leaves nothing to choose"]);
    assert.match(fields({ image: { enum: ["A:1"] } }).join("\n"), /enum\[0\]: does not match/);
    assert.deepEqual(fields({ image: { enum: ["a:1"], pattern: "^b" } }), [
      "profiles[0].fields.image: leaves nothing to choose",
    ]);
    assert.deepEqual(fields({ image: { minimum: 1 }, cores: { pattern: "^1$" } }), [
      "profiles[0].fields.image.minimum: has no meaning: the option is of type string",
      "profiles[0].fields.cores.pattern: has no meaning: the option is of type integer",
    ]);
    assert.deepEqual(fields({ image: { pattern: "(" } }), [
      "profiles[0].fields.image.pattern: is no regular expression",
    ]);
  });

  it("are told where a field begins outside itself", () => {
    assert.deepEqual(fields({ size: { enum: ["small"], default: "large" } }), [
      'profiles[0].fields.size.default: must be one of "small", got "large"',
    ]);
    assert.deepEqual(faults({ options: { cores: 8 }, fields: { cores: { maximum: 4 } } }), [
      "profiles[0].options.cores: is outside its field: must be <= 4, got 8",
    ]);
  });

  it("are told words that are no keywords", () => {
    const wrong: object = { cores: { max: 4 }, image: "b:2", size: { title: 1 } };
    assert.deepEqual(faults({ fields: wrong as Record<string, true> }), [
      "profiles[0].fields.cores.max: unknown key; known here: title, description, enum, minimum, maximum, pattern, default",
      'profiles[0].fields.image: must be object, got "b:2"',
      "profiles[0].fields.size.title: must be string, got 1",
    ]);
  });
});
