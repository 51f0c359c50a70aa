import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { accountMissing } from "../fixtures/account.ts";
import { noBrowser, openBrowser, photograph } from "../fixtures/browser.ts";
import { shapeMissing, shapes } from "../fixtures/hub.ts";
import { CONTACT, startProviderHub } from "../fixtures/provider-hub.ts";

for (const shape of shapes) {
  describe(`servers as system accounts, people from GitHub (${shape})`, {
    skip: accountMissing() || noBrowser() || (await shapeMissing(shape)),
  }, () => {
    test("somebody without a system account is told so", { timeout: 120_000 }, async (t) => {
      const stand = await startProviderHub({
        shape,
        config: { spawners: [{ use: "local", options: { systemAccounts: true } }] },
      });
      t.after(() => stand.close());
      // A login that is no account of this machine, whatever machine it is.
      stand.github.people.ada.login = `no-account-${process.pid}`;
      const browser = await openBrowser();
      const page = await browser.newPage({ viewport: { width: 1280, height: 860 } });
      t.after(async () => {
        await photograph(page, `${shape}-no-account`);
        await browser.close();
      });
      await page.goto(`${stand.hub.url}/`);
      await page.getByRole("button", { name: "Sign in with GitHub" }).click();
      await page.getByRole("button", { name: "Ada Lovelace" }).click();
      await page.getByRole("button", { name: "Allow Elara" }).click();
      await page
        .getByText(/would run as the account "no-account-\d+" of this machine, and there is no such account/)
        .first()
        .waitFor({ timeout: 30_000 });
      assert.match((await page.locator("main").textContent()) ?? "", /LOCAL_ACCOUNT_MISSING/);
      await page.getByRole("link", { name: CONTACT }).waitFor();
    });
  });
}
