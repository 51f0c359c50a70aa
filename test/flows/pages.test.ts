import assert from "node:assert/strict";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { noBrowser, openBrowser, photograph } from "../fixtures/browser.ts";
import { PASSWORD, startHub } from "../fixtures/hub.ts";
import { logIn } from "../fixtures/lab.ts";

const FAILING = fileURLToPath(new URL("../failures/failing-server.sh", import.meta.url));

test("the pages beside the main path say what they should", {
  timeout: 180_000,
  skip: noBrowser(),
}, async (t) => {
  const hub = await startHub({
    shape: "alone",
    config: {
      hub: { namedServers: true, trial: true },
      spawn: { command: [FAILING] },
      auth: { adminUsers: ["exits-root"] },
    },
  });
  t.after(() => hub.close());
  const browser = await openBrowser();
  t.after(() => browser.close());
  const page = await browser.newPage({ viewport: { width: 1280, height: 860 } });
  /** Opens a page, sees that it says this, keeps a picture. */
  const look = async (path: string, name: string, says: RegExp, status = 200): Promise<void> => {
    const answer = await page.goto(`${hub.url}${path}`);
    assert.equal(answer?.status(), status, path);
    await page.getByText(says).first().waitFor();
    await photograph(page, `page-${name}`);
  };
  await page.goto(`${hub.url}/hub/login?next=%2Fhub%2Fhome`);
  await logIn(page, "exits-root", PASSWORD);
  await page.waitForURL(/\/hub\/home/);
  await look("/hub/home", "home-named-servers", /Trial mode/);
  await look("/hub/token", "token", /token/i);
  await look("/user/exits-root/lab", "not-running", /not running/i, 424);
  await page.goto(`${hub.url}/hub/spawn`);
  await page.getByText("line 60 of a server that ends").waitFor({ timeout: 60_000 });
  await photograph(page, "page-start-failed");
  assert.match((await page.textContent("main")) ?? "", /SPAWN_ENDED/);
  await look("/hub/admin", "admin", /exits-root/);
  await look("/hub/nowhere", "not-found", /404/, 404);
  await look("/hub/user/somebody-else/", "somebody-elses", /404/, 404);

  await page.emulateMedia({ colorScheme: "dark" });
  await page.setViewportSize({ width: 400, height: 800 });
  await look("/hub/home", "home-dark-narrow", /Trial mode/);
  await look("/hub/token", "token-dark-narrow", /token/i);
});
