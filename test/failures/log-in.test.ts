import assert from "node:assert/strict";
import { test } from "node:test";
import { startHub } from "../fixtures/hub.ts";
import { loginAnswer } from "../fixtures/login.ts";

test("a wrong password and a name that is not allowed are told on the log-in page", {
  timeout: 60_000,
}, async (t) => {
  const hub = await startHub({
    shape: "alone",
    jupyter: false,
    config: { spawn: { command: ["true"] }, auth: { allowAll: false, allowedUsers: ["ada"] } },
  });
  t.after(() => hub.close());
  const wrong = await loginAnswer(hub.url, "ada", "not the password");
  assert.equal(wrong.status, 403);
  assert.match(await wrong.text(), /Invalid username or password/);
  const stranger = await loginAnswer(hub.url, "eve");
  assert.equal(stranger.status, 403);
  assert.match(await stranger.text(), /not allowed to use this hub/);
});
