import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { noBrowser, openBrowser } from "../fixtures/browser.ts";
import { PASSWORD, shapeMissing, shapes, startHub } from "../fixtures/hub.ts";
import { logIn } from "../fixtures/lab.ts";
import { activeServers } from "../fixtures/server.ts";
import { until } from "../fixtures/until.ts";

for (const shape of shapes) {
  describe(`unmodified jupyterhub-singleuser (${shape})`, {
    skip: noBrowser() || (await shapeMissing(shape)),
  }, () => {
    test("reports activity, and JupyterLab's Log Out ends the session everywhere", {
      timeout: 180_000,
    }, async (t) => {
      const hub = await startHub({
        shape,
        config: { spawn: { environment: { JUPYTERHUB_ACTIVITY_INTERVAL: "2" } } },
      });
      t.after(() => hub.close());
      const browser = await openBrowser();
      t.after(() => browser.close());
      const context = await browser.newContext({ viewport: { width: 1280, height: 860 } });
      const page = await context.newPage();
      await page.goto(`${hub.url}/hub/login`);
      await logIn(page, "ada", PASSWORD);
      await page.waitForURL(/\/user\/ada\/lab/, { timeout: 90_000 });
      await page.locator('.jp-LauncherCard[data-category="Notebook"]').first().waitFor({ timeout: 60_000 });

      const token = await hub.token("root-admin");
      const lastActivity = async (): Promise<string> => {
        const server = (await activeServers(hub, token, "ada"))[""] as
          | { last_activity?: string | null }
          | undefined;
        return server?.last_activity ?? "";
      };
      const first = await until("activity to be seen", lastActivity);
      await page.reload();
      await until("newer activity to be seen", async () => (await lastActivity()) > first, 60_000);

      // A second tab, to see that it ends with the first.
      const tab = await context.newPage();
      await tab.goto(`${hub.url}/user/ada/api/status`);
      assert.match(await tab.content(), /"started"/);
      await page.getByRole("menuitem", { name: "File" }).click();
      await page.getByRole("menuitem", { name: "Log Out" }).click();
      await page.waitForURL(/\/hub\/login/, { timeout: 30_000 });
      await tab.goto(`${hub.url}/user/ada/lab`);
      assert.match(tab.url(), /\/hub\/login/);
      await tab.goto(`${hub.url}/hub/home`);
      assert.match(tab.url(), /\/hub\/login/);
      assert.equal((await activeServers(hub, token, "ada"))[""]?.ready, true, "the server goes on");
    });
  });
}
