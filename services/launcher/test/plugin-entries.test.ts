import assert from "node:assert/strict";
import { test } from "node:test";
import { wrapSpawner } from "@elara/sdk";
import local from "@elara/spawner-local";
import { profileSlugs, withLongEntries, withSystemAccounts } from "../src/plugin-entries.ts";

const spawner = { name: "local", plugin: local, options: { systemAccounts: false } };
const accounts = (given: Parameters<typeof withSystemAccounts>[1]) =>
  withSystemAccounts([spawner], given)[0]?.options.systemAccounts;

test("a name alone is short for an entry", () => {
  assert.deepEqual(withLongEntries({ authenticators: ["pam", { use: "dummy" }] }), {
    authenticators: [{ use: "pam" }, { use: "dummy" }],
  });
});

test("a spawner around the local one keeps its rules", () => {
  const mine = { ...spawner, plugin: wrapSpawner(local, { name: "mine" }) };
  const [found] = withSystemAccounts([mine], { isPam: true, isRoot: true, said: [{}] });
  assert.equal(found?.options.systemAccounts, true);
});

test("profiles are known by their slugs, each spawner by its name where there are none", () => {
  const profiles = [{ slug: "small" }, { slug: "large" }];
  assert.deepEqual(profileSlugs({ spawn: { profiles } }, [spawner]), ["small", "large"]);
  assert.deepEqual(profileSlugs({ spawn: { profiles: [] } }, [spawner]), ["local"]);
  assert.deepEqual(profileSlugs({}, [spawner]), ["local"]);
});

test("with PAM and as root, servers run as the users' accounts unless said otherwise", () => {
  assert.equal(accounts({ isPam: true, isRoot: true, said: [{}] }), true);
  assert.equal(accounts({ isPam: true, isRoot: true, said: [{ systemAccounts: false }] }), false);
  assert.equal(accounts({ isPam: true, isRoot: false, said: [{}] }), false);
  assert.equal(accounts({ isPam: false, isRoot: true, said: [{}] }), false);
});
