import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { shapeMissing, shapes, startHub, type TestHub } from "../fixtures/hub.ts";
import { logInByForm } from "../fixtures/login.ts";
import { type Landing, navigate } from "../fixtures/navigate.ts";
import { until } from "../fixtures/until.ts";

const FAILING = fileURLToPath(new URL("failing-server.sh", import.meta.url));

/** Starts a server as a browser does and returns the page its owner ends up with when it failed. */
async function failedPage(hub: TestHub, user: string): Promise<Landing> {
  const cookie = await logInByForm(hub.url, user);
  await navigate(`${hub.url}/hub/spawn`, cookie);
  return until(
    "the page to tell of the failure",
    async () => {
      const page = await navigate(`${hub.url}/hub/spawn-pending/${user}`, cookie);
      return page.status >= 400 ? page : undefined;
    },
    60_000,
  );
}

for (const shape of shapes) {
  describe(`a start that fails is told to its owner (${shape})`, { skip: await shapeMissing(shape) }, () => {
    test("a server that ends at once (with its last 50 lines), that opens no port, that never answers", {
      timeout: 120_000,
    }, async (t) => {
      const hub = await startHub({
        shape,
        config: { spawn: { command: [FAILING], httpSeconds: 5, bootSeconds: 8 } },
      });
      t.after(() => hub.close());
      const ended = await failedPage(hub, "exits-ada");
      assert.match(ended.html, /SPAWN_ENDED/);
      assert.match(ended.html, /line 60 of a server that ends/);
      assert.match(ended.html, /line 11 of a server that ends/);
      assert.doesNotMatch(ended.html, /line 10 of a server that ends/);

      const silent = await failedPage(hub, "silent-ada");
      assert.match(silent.html, /SPAWN_BOOT_TIMEOUT/);
      assert.equal(silent.status, 504);

      const hanging = await failedPage(hub, "hangs-ada");
      assert.match(hanging.html, /SPAWN_HTTP_TIMEOUT/);
      assert.equal(hanging.status, 504);
    });

    test("a command that is not there", { timeout: 120_000 }, async (t) => {
      const hub = await startHub({
        shape,
        config: { spawn: { command: ["/nowhere/jupyterhub-singleuser"] } },
      });
      t.after(() => hub.close());
      const page = await failedPage(hub, "ada");
      assert.match(page.html, /LOCAL_COMMAND_NOT_FOUND/);
    });
  });
}

test("a Python that is not there is told to the owner", { timeout: 120_000 }, async (t) => {
  const hub = await startHub({
    shape: "alone",
    config: { spawners: [{ use: "local", options: { systemAccounts: false, python: "/nowhere/python3" } }] },
  });
  t.after(() => hub.close());
  assert.match((await failedPage(hub, "ada")).html, /LOCAL_PYTHON_MISSING/);
});

test("an account that this machine does not have is told to the owner", {
  timeout: 120_000,
  skip: process.getuid?.() === 0 ? false : "needs root: servers run as system accounts",
}, async (t) => {
  const hub = await startHub({
    shape: "alone",
    config: { spawners: [{ use: "local", options: { systemAccounts: true } }] },
  });
  t.after(() => hub.close());
  assert.match((await failedPage(hub, "no-such-account")).html, /LOCAL_ACCOUNT_MISSING/);
});
