import assert from "node:assert/strict";
import { test } from "node:test";
import { MAX_AUTH_STATE_BYTES } from "@elara/sdk";
import { testHost } from "@elara/sdk/testing";
import { boundedState } from "../src/bounded-state.ts";

const whole = { access_token: "token", teams: ["a"], user: { login: "ada" } };

test("what fits is kept whole", () => {
  const { log, lines } = testHost();
  assert.deepEqual(boundedState(whole, ["teams", "user"], log), whole);
  assert.deepEqual(lines, []);
});

test("what is too much is left out in its order, told to the operator, and never the tokens", () => {
  const { log, lines } = testHost();
  const many = "x".repeat(MAX_AUTH_STATE_BYTES);
  assert.deepEqual(boundedState({ ...whole, teams: [many] }, ["teams", "user"], log), {
    access_token: "token",
    user: { login: "ada" },
  });
  assert.deepEqual(boundedState({ ...whole, user: many }, ["teams", "user"], log), { access_token: "token" });
  assert.deepEqual(
    lines.map(({ level, fields }) => [level, Object(fields).left]),
    [
      ["warn", ["teams"]],
      ["warn", ["teams", "user"]],
    ],
  );
});

test("what is not there is not told as left out", () => {
  const { log, lines } = testHost();
  const user = "x".repeat(MAX_AUTH_STATE_BYTES);
  assert.deepEqual(boundedState({ access_token: "token", user }, ["teams", "user"], log), {
    access_token: "token",
  });
  assert.deepEqual(
    lines.map(({ fields }) => fields),
    [{ left: ["user"] }],
  );
});

test("the bound counts bytes", () => {
  const { log } = testHost();
  const umlauts = "ü".repeat(MAX_AUTH_STATE_BYTES / 2);
  assert.equal(boundedState({ umlauts }, ["umlauts"], log).umlauts, undefined);
});
