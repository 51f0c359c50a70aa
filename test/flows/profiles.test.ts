import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import type { HubConfiguration } from "@elara/launcher/define-config";
import type { Page } from "playwright-core";
import { noBrowser, openBrowser, photograph } from "../fixtures/browser.ts";
import { PASSWORD, shapeMissing, shapes, startHub, type TestHub } from "../fixtures/hub.ts";
import { logIn, newNotebook, runCell } from "../fixtures/lab.ts";
import { serversOf } from "../fixtures/processes.ts";

const COURSE = fileURLToPath(new URL("../fixtures/course-spawner.ts", import.meta.url));
const CONFIG: HubConfiguration = {
  spawners: [{ use: COURSE, name: "course", options: { systemAccounts: false } }],
  spawn: {
    profiles: [
      {
        slug: "small",
        title: "Small",
        description: "For reading along.",
        spawner: "course",
        options: { memory: 1 },
        fields: { topic: true },
      },
      {
        slug: "large",
        title: "Large",
        description: "For computing yourself.",
        spawner: "course",
        options: { pulls: 40 },
        fields: {
          topic: { enum: ["biology"] },
          memory: { minimum: 2, maximum: 6, default: 4, description: "Shared by all your kernels." },
          debug: true,
          note: true,
        },
      },
      { slug: "staff", title: "Staff only", spawner: "course", fields: {}, visibleTo: { users: ["grace"] } },
    ],
  },
};

/** What the running server of this hub was started with, from its own environment. */
const started = (hub: TestHub): unknown =>
  JSON.parse(serversOf(hub.internalUrl)[0]?.environment.COURSE ?? "null");

/** The fields of the chosen profile, as they stand in the form. */
const shown = async (page: Page) => ({
  profile: await page.locator('input[name="profile"]:checked').inputValue(),
  memory: await page.getByLabel("Memory").inputValue(),
  note: await page.getByLabel("Note").inputValue(),
  debug: await page.getByLabel("Tell everything").isChecked(),
});

/** Stops the own server from the home page and waits until it rests. */
async function stop(hub: TestHub, page: Page): Promise<void> {
  await page.goto(`${hub.url}/hub/home`);
  await page.getByRole("button", { name: "Stop my server" }).click();
  await page.getByRole("button", { name: "Start my server" }).waitFor({ timeout: 60_000 });
}

for (const shape of shapes) {
  describe(`a person chooses how the server runs (${shape})`, {
    skip: noBrowser() || (await shapeMissing(shape)),
  }, () => {
    test("form, refusals at their field, running server, kept choices", { timeout: 240_000 }, async (t) => {
      const hub = await startHub({ shape, config: CONFIG });
      t.after(() => hub.close());
      const browser = await openBrowser();
      t.after(() => browser.close());
      const page = await browser.newPage({ viewport: { width: 1280, height: 900 } });
      await page.goto(`${hub.url}/`);
      await logIn(page, "ada", PASSWORD);

      await page.waitForURL(/\/hub\/spawn$/);
      assert.equal(await page.getByText("Staff only").count(), 0, "a profile for others is not shown");
      assert.equal(await page.getByLabel("Topic").first().isVisible(), true);
      assert.equal(
        await page.getByLabel("Memory").isVisible(),
        false,
        "fields of other profiles are not shown",
      );
      await page.getByText("For computing yourself.").click();
      await page.getByLabel("Memory").fill("60");
      await page.getByLabel("Note").fill("hello <b>");
      await page.getByLabel("Tell everything").check();
      await page.getByRole("button", { name: "Start" }).click();
      assert.match(page.url(), /\/hub\/spawn$/, "the browser itself refuses what is out of bounds");
      await page.getByLabel("Memory").evaluate((input) => input.removeAttribute("max"));
      await page.getByLabel("Note").evaluate((input) => input.removeAttribute("maxlength"));
      await page.getByLabel("Note").fill("longer than twenty <b>");
      const [refused] = await Promise.all([
        page.waitForResponse((answer) => answer.request().method() === "POST"),
        page.getByRole("button", { name: "Start" }).click(),
      ]);
      assert.equal(refused.status(), 400);
      const sentence = page.locator('[data-field="large.memory"] [role="alert"]');
      assert.equal(await sentence.textContent(), "Memory must be a whole number from 2 to 6 GiB.");
      const other = page.locator('[data-field="large.note"] [role="alert"]');
      assert.equal(
        await other.textContent(),
        "Note may have at most 20 characters.",
        "both are told at once",
      );
      assert.deepEqual(await shown(page), {
        profile: "large",
        memory: "60",
        note: "longer than twenty <b>",
        debug: true,
      });
      await photograph(page, `${shape}-profiles-1-refused`);

      await page.getByLabel("Memory").fill("6");
      await page.getByLabel("Note").evaluate((input) => input.setAttribute("name", "large.bogus"));
      await page.getByRole("button", { name: "Start" }).click();
      await page.getByText('The option "bogus" cannot be chosen here.').waitFor();

      await page.getByLabel("Memory").fill("6");
      await page.getByLabel("Note").fill("hello <b>");
      await page.getByRole("button", { name: "Start" }).click();
      await page.getByText("Pulling the course: 40 of 40").waitFor();
      assert.equal(
        await page.getByText(/Pulling the course/).count(),
        1,
        "lines of a pull replace each other",
      );
      await photograph(page, `${shape}-profiles-2-pending`);
      await page.waitForURL(/\/user\/ada\/lab/, { timeout: 90_000 });
      const wanted = { topic: "biology", memory: 6, debug: true, note: "hello <b>" };
      assert.deepEqual(started(hub), wanted);
      await newNotebook(page);
      const printed = await runCell(page, 'import os; print(os.environ["COURSE"])');
      assert.deepEqual(JSON.parse(printed), wanted);

      const token = await hub.token("ada");
      const { servers } = (await (await hub.api(token, "/users/ada")).json()) as {
        servers: Record<string, { user_options: unknown }>;
      };
      assert.deepEqual(servers[""]?.user_options, { profile: "large", ...wanted });
      await page.goto(`${hub.url}/hub/home`);
      assert.match(
        (await page.locator("dl.facts").first().textContent()) ?? "",
        /Profile\s*Large\s*Runs on\s*course/,
      );
      await stop(hub, page);

      await page.getByRole("button", { name: "Start my server" }).click();
      assert.deepEqual(await shown(page), { profile: "large", memory: "6", note: "hello <b>", debug: true });
      await photograph(page, `${shape}-profiles-3-kept`);
      const api = async (path: string, body?: object) => {
        const init = body ? { method: "POST", body: JSON.stringify(body) } : {};
        const answer = await hub.api(token, path, init);
        const text = await answer.text();
        return { status: answer.status, body: text === "" ? undefined : JSON.parse(text) };
      };
      const start = "/users/ada/server";
      assert.deepEqual(await api(start, { profile: "large", memory: 7 }), {
        status: 400,
        body: {
          status: 400,
          message: "Memory must be a whole number from 2 to 6 GiB.",
          code: "SPAWN_OPTIONS_INVALID",
          field: "memory",
        },
      });
      assert.equal(
        (await api(start, { profile: "small", memory: 2 })).body.field,
        "memory",
        "no field of small",
      );
      const hidden = await api(start, { profile: "staff" });
      assert.deepEqual([hidden.status, hidden.body.field], [400, "profile"]);
      assert.deepEqual(hidden, await api(start, { profile: "nowhere" }), "as if it were not there");
      await page.locator('input[value="small"]').evaluate((input) => input.setAttribute("value", "staff"));
      await page.getByText("For reading along.").click();
      await page.getByRole("button", { name: "Start" }).click();
      await page.getByText("There is no such profile.").waitFor();
      const slugs = (await api("/profiles")).body.map(({ slug }: { slug: string }) => slug);
      assert.deepEqual(slugs, ["small", "large"]);
      assert.deepEqual(serversOf(hub.internalUrl), [], "nothing of this has started");

      assert.ok([201, 202].includes((await api(start, {})).status));
      await page.goto(`${hub.url}/hub/spawn-pending/ada`);
      await page.waitForURL(/\/user\/ada\/lab/, { timeout: 90_000 });
      assert.deepEqual(started(hub), wanted, "a start without a word takes what was chosen last");
    });
  });
}

describe("a person watches a start that waits", { skip: noBrowser() }, () => {
  test("queued, unknown, going on: the page tells each without being loaded anew", {
    timeout: 180_000,
  }, async (t) => {
    const control = mkdtempSync(join(tmpdir(), "elara-course-"));
    t.after(() => rmSync(control, { recursive: true, force: true }));
    const file = (name: string) => join(control, name);
    const config = { spawners: CONFIG.spawners ?? [] };
    const hub = await startHub({ shape: "alone", config, env: { COURSE_CONTROL: control } });
    t.after(() => hub.close());
    const browser = await openBrowser();
    t.after(() => browser.close());
    const page = await browser.newPage({ viewport: { width: 1280, height: 900 }, timezoneId: "UTC" });
    let loads = 0;
    page.on("domcontentloaded", () => {
      loads++;
    });
    writeFileSync(file("queued"), "Priority; expected start 2030-01-02T07:40:00Z");
    await page.goto(`${hub.url}/hub/login?next=%2Fhub%2Fspawn`);
    await logIn(page, "ada", PASSWORD);
    assert.equal(
      await page.locator('input[name="profile"][type="radio"]').count(),
      0,
      "one profile is no choice",
    );
    await page.getByRole("button", { name: "Start" }).click();
    await page.waitForURL(/spawn-pending/);
    await page.getByRole("heading", { name: "Your server waits in the queue" }).waitFor();
    const loaded = loads;
    assert.match(
      (await page.locator("#state-reason").textContent()) ?? "",
      /^Priority; expected start Jan 2, 2030/,
    );
    const inStep = page.locator('[data-step="queued"] small', { hasText: "expected start Jan 2, 2030" });
    await inStep.waitFor({ state: "attached" });
    assert.equal(await inStep.isVisible(), false, "while it waits, why is said once");
    await page.getByRole("button", { name: "Cancel the start" }).waitFor();
    await photograph(page, "profiles-queued");

    writeFileSync(file("away"), "");
    await page.getByText("Not answering").waitFor();
    await page.getByText("The course room is locked.").waitFor();
    assert.match((await page.locator("#state").textContent()) ?? "", /Nothing is lost/);
    await photograph(page, "profiles-unknown");
    await page.goto(`${hub.url}/hub/home`);
    await page.getByText("The course room is locked.").waitFor();
    await page.goBack();

    rmSync(file("away"));
    await page.getByRole("heading", { name: "Your server waits in the queue" }).waitFor();
    assert.equal(loads, loaded + 2, "only what this test has loaded");
    rmSync(file("queued"));
    await page.waitForURL(/\/user\/ada\/lab/, { timeout: 60_000 });

    writeFileSync(file("away"), "");
    await page.goto(`${hub.url}/hub/home`);
    const locked = page.getByText("The course room is locked.");
    for (let look = 0; look < 30 && !(await locked.isVisible()); look++) {
      await page.waitForTimeout(1_000);
      await page.reload();
    }
    await locked.waitFor({ timeout: 1_000 });
    await photograph(page, "profiles-home-unknown");
    await page.getByRole("button", { name: "My server", exact: true }).click();
    await page.waitForURL(/\/user\/ada\/lab/);
    assert.equal((await page.request.get(`${hub.url}/user/ada/api/status`)).status(), 200, "its route stays");
  });
});

describe("a person without scripts", { skip: noBrowser() }, () => {
  test("chooses too; what is wrong is told by the hub", { timeout: 120_000 }, async (t) => {
    const profiles = [
      { slug: "small", title: "Small", spawner: "course", fields: { topic: true } },
      // No default fits: it must be given, also while another profile is chosen.
      { slug: "named", title: "Named", spawner: "course", fields: { note: { pattern: "^[a-z]+$" } } },
    ] as const;
    const config = { spawners: CONFIG.spawners ?? [], spawn: { profiles: [...profiles] } };
    const hub = await startHub({ shape: "alone", config });
    t.after(() => hub.close());
    const browser = await openBrowser();
    t.after(() => browser.close());
    const page = await browser.newPage({ javaScriptEnabled: false });
    await page.goto(`${hub.url}/hub/login?next=%2Fhub%2Fspawn`);
    await logIn(page, "ada", PASSWORD);
    await page.getByRole("radio", { name: "Named" }).check();
    await page.getByRole("button", { name: "Start" }).click();
    await page
      .locator('[data-field="named.note"] [role="alert"]', { hasText: "Note must be given." })
      .waitFor();
    assert.equal(await page.getByLabel("Topic").isVisible(), false);
    await page.getByRole("radio", { name: "Small" }).check();
    await page.getByLabel("Topic").selectOption("biology");
    await page.getByRole("button", { name: "Start" }).click();
    await page.waitForURL(/spawn-pending|\/user\/ada/);
    await page.waitForURL(/\/user\/ada/, { timeout: 60_000 });
    assert.match(JSON.stringify(started(hub)), /"topic":"biology"/);
  });
});
