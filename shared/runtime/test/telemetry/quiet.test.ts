import assert from "node:assert/strict";
import { test } from "node:test";
import { isQuiet } from "../../src/telemetry/quiet.ts";

test("what machines ask all day is quiet, by its path alone", () => {
  for (const url of [
    "/hub/health",
    "/base/hub/api/health?x=1",
    "/hub/metrics",
    "/hub/static/a/b.css",
    "/hub/static/*",
  ])
    assert.ok(isQuiet(url), url);
  for (const url of [
    "/hub/login?next=/hub/health",
    "/hub/api/users?next=/hub/static/x",
    "/user/ada/metrics",
    "/hub/home",
  ])
    assert.ok(!isQuiet(url), url);
});
