import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, test } from "node:test";
import { watchCommandLines } from "@elara/sdk/testing";
import type { Page } from "playwright-core";
import { noBrowser, openBrowser, photograph } from "../fixtures/browser.ts";
import { shapeMissing, shapes } from "../fixtures/hub.ts";
import { newNotebook, runCell } from "../fixtures/lab.ts";
import { leaks, legible } from "../fixtures/leaks.ts";
import { processes, serversOf } from "../fixtures/processes.ts";
import { startProviderHub } from "../fixtures/provider-hub.ts";
import { pythonPackages } from "../fixtures/python-packages.ts";
import { until } from "../fixtures/until.ts";

const CELL = readFileSync(new URL("globus_cell.py", import.meta.url), "utf8");

/** From the hub's login page through the provider to JupyterLab, by its buttons. */
async function enter(
  page: Page,
  hubUrl: string,
  provider: string,
  person: string,
  photo: string,
): Promise<void> {
  await page.goto(`${hubUrl}/`);
  await page.getByRole("button", { name: "Sign in with GitHub" }).waitFor();
  await page.getByRole("button", { name: "Sign in with Globus" }).waitFor();
  await photograph(page, `${photo}-1-login`);
  await page.getByRole("button", { name: `Sign in with ${provider}` }).click();
  await page.getByRole("heading", { name: "Sign in" }).waitFor();
  await photograph(page, `${photo}-2-sign-in`);
  await page.getByRole("button", { name: person }).click();
  await page.getByRole("heading", { name: "Authorize Elara" }).waitFor();
  await photograph(page, `${photo}-3-consent`);
  await page.getByRole("button", { name: "Allow Elara" }).click();
}

async function logOut(page: Page, hubUrl: string): Promise<void> {
  await page.goto(`${hubUrl}/hub/home`);
  await page
    .getByRole("button", { name: /log ?out/i })
    .or(page.getByRole("link", { name: /log ?out/i }))
    .first()
    .click();
  await page.waitForURL(/\/hub\/(login|logout)/);
}

for (const shape of shapes) {
  describe(`people come from GitHub and from Globus (${shape})`, {
    skip: noBrowser() || (await shapeMissing(shape)),
  }, () => {
    test("two buttons, JupyterLab, a notebook with Globus' tokens, and nothing left after log-out", {
      timeout: 240_000,
    }, async (t) => {
      const env = { PYTHONPATH: await pythonPackages("matplotlib", ["matplotlib==3.11.2"]) };
      const { hub, github, globus, close } = await startProviderHub({ shape, env });
      t.after(close);
      const browser = await openBrowser();
      t.after(() => browser.close());
      const commands = await watchCommandLines({ pauseMs: 20 });

      const ada = await (await browser.newContext({ viewport: { width: 1280, height: 860 } })).newPage();
      await enter(ada, hub.url, "GitHub", "Ada Lovelace", `${shape}-github`);
      await ada.waitForURL(/\/user\/ada\/lab/, { timeout: 90_000 });
      assert.deepEqual(
        github.liveTokens().map(({ login }) => login),
        ["ada"],
      );

      const grace = await (await browser.newContext({ viewport: { width: 1280, height: 860 } })).newPage();
      await enter(grace, hub.url, "Globus", "Grace Hopper", `${shape}-globus`);
      await grace.waitForURL(/\/user\/grace\/lab/, { timeout: 90_000 });
      await newNotebook(grace);
      const told = await runCell(grace, `API = "${globus.endpoints.transfer}"\n${CELL}`);
      assert.match(told, /servers: \['transfer\.api\.globus\.org'\] rows: 60 saved: 201 endpoint: ddb59aef/);
      await grace.locator(".jp-OutputArea-output img").scrollIntoViewIfNeeded();
      await photograph(grace, `${shape}-globus-4-notebook`);
      assert.equal(globus.files.get("/results/plot.png")?.subarray(1, 4).toString(), "PNG");

      const servers = serversOf(hub.internalUrl);
      const data = servers.find(({ environment }) => environment.JUPYTERHUB_USER === "grace")?.environment
        .GLOBUS_DATA;
      assert.ok(data, "her server has GLOBUS_DATA");
      assert.deepEqual(
        processes()
          .filter(({ environment }) => environment.GLOBUS_DATA !== undefined)
          .filter(({ environment }) => environment.JUPYTERHUB_USER !== "grace")
          .map(({ command }) => command),
        [],
        "no other process has it",
      );
      const secrets = [...github.secrets(), ...globus.secrets(), data];
      assert.ok(secrets.length >= 12, "codes, tokens, id_token");
      const places = await legible(hub);
      assert.ok(hub.log().includes("logged in") && leaks(places, ["grace"]).length > 1, "it was looked into");
      assert.deepEqual(leaks(places, secrets), []);
      const { lines } = await commands.stop();
      assert.ok(
        [...lines].some((line) => line.includes("jupyterhub-singleuser")),
        "starts were watched",
      );
      assert.deepEqual(leaks(new Map([...lines].map((line) => [line, line])), secrets), []);

      assert.equal(globus.liveTokens().length, 6, "access and refresh tokens of auth, groups and transfer");
      await logOut(grace, hub.url);
      await until("Globus to have every token back", () => globus.liveTokens().length === 0);
      assert.equal(github.liveTokens().length, 1, "another person's log-in stays");
      await logOut(ada, hub.url);
      await until("GitHub to have its token back", () => github.liveTokens().length === 0);
    });
  });
}
