import assert from "node:assert/strict";
import { test } from "node:test";
import type { AuthenticatorHost } from "@elara/sdk";
import { authenticatorConformance } from "@elara/sdk/testing";
import dummy from "../src/index.ts";

const silent = () => {};
const host: AuthenticatorHost = {
  log: { debug: silent, info: silent, warn: silent, error: silent },
  dataDir: "/nonexistent",
  hubId: "test",
  callbackPaths: ["/hub/oauth_callback/dummy"],
  publicUrl: "",
  now: () => 0,
  onClose: silent,
};
const login = async (options: { password: string; anyPassword: boolean }, input: Record<string, string>) =>
  (await dummy.setup(options, host)).finish({
    input,
    state: {},
    callbackUrl: "",
    signal: AbortSignal.timeout(1000),
  });

authenticatorConformance(dummy, {
  options: { password: "open sesame" },
  good: { username: "ada", password: "open sesame" },
  bad: { username: "ada", password: "open sesam" },
});

test("names that differ in case or width only are one person", async () => {
  const options = { password: "open sesame", anyPassword: false };
  const subjects = await Promise.all(
    ["ada", " Ada ", "ADA", "ａｄａ"].map(
      async (username) => (await login(options, { username, password: "open sesame" }))?.subject,
    ),
  );
  assert.deepEqual(subjects, ["ada", "ada", "ada", "ada"]);
});

test("any password means also none, but a name is needed", async () => {
  const options = { password: "", anyPassword: true };
  assert.equal((await login(options, { username: "ada", password: "" }))?.name, "ada");
  assert.equal(await login(options, { username: " ", password: "x" }), undefined);
});

test("a short, missing or contradictory password stops the start with its code", () => {
  assert.throws(() => dummy.setup({ password: "seven77", anyPassword: false }, host), {
    code: "DUMMY_PASSWORD_SHORT",
  });
  assert.throws(() => dummy.setup({ password: "", anyPassword: false }, host), {
    code: "DUMMY_PASSWORD_SHORT",
  });
  assert.throws(() => dummy.setup({ password: "open sesame", anyPassword: true }, host), {
    code: "DUMMY_PASSWORD_AMBIGUOUS",
  });
});
