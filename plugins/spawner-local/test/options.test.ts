import assert from "node:assert/strict";
import { test } from "node:test";
import { codeOf } from "@elara/contracts";
import { testHost } from "@elara/sdk/testing";
import { Value } from "typebox/value";
import local from "../src/index.ts";

const given = (more: object) => Value.Parse(local.options, Value.Default(local.options, { ...more }));

for (const [what, more] of Object.entries({
  "a port range upside down": { portRange: [30_000, 20_000] },
  "a limit that there is not": { limits: { foo: 3 } },
  "homes outside the spawner's folder": { homes: "../../{user}" },
})) {
  test(`${what} is refused at the start, by the option's name`, () => {
    const option = Object.keys(more)[0] ?? "";
    assert.throws(
      () => local.setup(given(more), testHost()),
      (error) =>
        codeOf(error) === "LOCAL_OPTIONS_INVALID" &&
        String(Reflect.get(Object(error), "operator")).startsWith(option),
    );
  });
}

test("the defaults, absolute homes and known limits are fine", () => {
  for (const more of [{}, { homes: "/srv/homes/{user}" }, { limits: { nofile: 4096 } }])
    assert.ok(local.setup(given(more), testHost()));
});
