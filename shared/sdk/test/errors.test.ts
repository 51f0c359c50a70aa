import assert from "node:assert/strict";
import { test } from "node:test";
import { inspect } from "node:util";
import { PluginError } from "@elara/sdk";

const errors = { DEMO_REFUSED: { status: 403, user: "No.", operator: "Not of the family." } };

test("what a refused log-in had been given is handed over and shown nowhere", () => {
  const given = new PluginError(errors, "DEMO_REFUSED", { authState: { access_token: "token-0815" } });
  const later = new PluginError(errors, "DEMO_REFUSED");
  assert.equal(later.authState, undefined);
  later.authState = { access_token: "token-0815" };
  for (const error of [given, later]) {
    assert.deepEqual(error.authState, { access_token: "token-0815" });
    const outer = new Error("outer", { cause: error });
    const shown = [
      JSON.stringify(error),
      JSON.stringify({ ...error }),
      inspect(outer, { depth: 9, showHidden: true }),
      inspect(structuredClone(outer), { depth: 9 }),
    ];
    // As loggers walk an error.
    for (const key in error) shown.push(key);
    assert.ok(!shown.includes("authState"));
    for (const text of shown) assert.doesNotMatch(text, /token-0815/);
  }
});
