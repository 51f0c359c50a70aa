import assert from "node:assert/strict";
import { test } from "node:test";
import { testHost } from "@elara/sdk/testing";
import { Value } from "typebox/value";
import local from "../src/index.ts";

const given = (more: object) => Value.Parse(local.options, Value.Default(local.options, { ...more }));

const checked = async (more: object) => {
  const spawner = await local.setup(given(more), testHost());
  await spawner.checkOptions?.(given(more), { signal: AbortSignal.timeout(5_000) });
};

for (const [what, more] of Object.entries({
  "a port range upside down": { portRange: [30_000, 20_000] },
  "a limit that there is not": { limits: { foo: 3 } },
  "homes outside the spawner's folder": { homes: "../../{user}" },
})) {
  test(`${what} is refused by the option's name`, async () => {
    const [field] = Object.keys(more);
    await assert.rejects(() => checked(more), { code: "LOCAL_OPTIONS_INVALID", field });
  });
}

test("the defaults, absolute homes and known limits are fine", async () => {
  for (const more of [{}, { homes: "/srv/homes/{user}" }, { limits: { nofile: 4096 } }]) await checked(more);
});
