import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { Page } from "playwright-core";
import { noBrowser, openBrowser, photograph } from "../fixtures/browser.ts";
import { PASSWORD, shapeMissing, shapes, startHub } from "../fixtures/hub.ts";
import { logIn, newNotebook, runCell } from "../fixtures/lab.ts";

/** What the pending page lists: the steps and their times. */
const listedSteps = (page: Page) =>
  page.locator("[data-step]").evaluateAll((lines) =>
    lines.map((line) => ({
      step: line.getAttribute("data-step") ?? "",
      at: line.querySelector("time")?.getAttribute("datetime") ?? "",
    })),
  );

for (const shape of shapes) {
  describe(`a person works in JupyterLab (${shape})`, {
    skip: noBrowser() || (await shapeMissing(shape)),
  }, () => {
    test("log-in, live steps, notebook, stop, log-out", { timeout: 240_000 }, async (t) => {
      const hub = await startHub({ shape });
      t.after(() => hub.close());
      const browser = await openBrowser();
      const page = await browser.newPage({ viewport: { width: 1280, height: 860 } });
      t.after(async () => {
        await photograph(page, `${shape}-last`);
        await browser.close();
      });

      await page.goto(`${hub.url}/`);
      await photograph(page, `${shape}-1-login`);
      await page.getByLabel("Username").fill("ada");
      await page.getByLabel("Password").fill("wrong password");
      await page.getByRole("button", { name: /^log in$/i }).click();
      await page.getByText("Invalid username or password").waitFor();
      await photograph(page, `${shape}-2-login-refused`);
      await logIn(page, "ada", PASSWORD);

      await page.waitForURL(/spawn-pending/);
      await page.locator('[data-step="environment"] time').waitFor();
      await page.reload();
      const afterReload = await listedSteps(page);
      await photograph(page, `${shape}-3-pending`);
      for (const step of ["requested", "environment"]) {
        const at = afterReload.find((line) => line.step === step)?.at ?? "";
        assert.match(
          at,
          /^\d{4}-\d\d-\d\dT/,
          `${step} is shown with its time after a reload, got ${JSON.stringify(afterReload)}`,
        );
      }
      await page.waitForURL(/\/user\/ada\/lab/, { timeout: 90_000 });

      await newNotebook(page);
      assert.equal(await runCell(page, "print(6*7)"), "42");
      await photograph(page, `${shape}-4-notebook`);

      const token = await hub.token("ada");
      const { servers } = (await (await hub.api(token, "/users/ada")).json()) as {
        servers: Record<string, { ready: boolean }>;
      };
      assert.equal(servers[""]?.ready, true);

      await page.goto(`${hub.url}/hub/home`);
      await photograph(page, `${shape}-5-home`);
      await page.getByRole("button", { name: /stop/i }).first().click();
      await page
        .getByRole("button", { name: /start/i })
        .or(page.getByRole("link", { name: /start/i }))
        .first()
        .waitFor({ timeout: 60_000 });
      await photograph(page, `${shape}-6-stopped`);
      await page
        .getByRole("button", { name: /log ?out/i })
        .or(page.getByRole("link", { name: /log ?out/i }))
        .first()
        .click();
      await page.waitForURL(/\/hub\/login/);
      await photograph(page, `${shape}-7-logged-out`);
    });
  });
}
