import assert from "node:assert/strict";
import { after, before, beforeEach, describe, test } from "node:test";
import { ORGANIZATION, TEAM } from "@elara/beds/providers/github";
import { idTokenFaults } from "@elara/beds/providers/globus";
import { noBrowser, openBrowser, photograph } from "../fixtures/browser.ts";
import { shapeMissing, shapes } from "../fixtures/hub.ts";
import {
  badState,
  callbackRefusals,
  forgedCallback,
  githubRefusals,
  idTokenRefusals,
  notAllowed,
  type Refusal,
  refusalIn,
} from "../fixtures/provider-faults.ts";
import { CONTACT, type ProviderHub, startProviderHub, wideThrottle } from "../fixtures/provider-hub.ts";
import { isLoggedIn, type Landed, openTab, type Tab, wordsOf } from "../fixtures/tab.ts";
import { until } from "../fixtures/until.ts";

for (const shape of shapes) {
  describe(`who comes from a provider and is refused (${shape})`, { skip: await shapeMissing(shape) }, () => {
    let stand: ProviderHub;
    before(async () => {
      stand = await startProviderHub({
        shape,
        hasRuleless: true,
        config: { auth: { throttle: wideThrottle } },
      });
    });
    after(() => stand?.close());

    const isIn = (tab: Tab): Promise<boolean> => isLoggedIn(tab, stand.hub.url);
    const live = (): number => stand.github.liveTokens().length + stand.globus.liveTokens().length;
    let atFirst = 0;
    beforeEach(() => {
      atFirst = live();
    });
    const allGivenBack = (): Promise<unknown> =>
      until("every token to be given back", () => live() <= atFirst, 10_000);
    const nameTaken: Refusal = { status: 403, code: "LOGIN_NAME_TAKEN" };
    /** A refusal: its status and code, nobody logged in, no token left behind. Gives its words. */
    const refused = async (tab: Tab, landed: Landed, expected: Refusal): Promise<string> => {
      const words = wordsOf(landed.html);
      assert.deepEqual(refusalIn(landed), expected, words);
      assert.equal(await isIn(tab), false);
      await allGivenBack();
      return words;
    };

    const outsiders = [
      ["github", "bob", "in no organisation", notAllowed],
      ["github", "eve", "in the organisation, but not in the team", notAllowed],
      ["globus", "bob", "in no group", notAllowed],
      [
        "globus",
        "eve",
        "in the group, by another identity provider",
        { status: 403, code: "GLOBUS_IDENTITY_PROVIDER" },
      ],
      ["ruleless", "ada", "at a button without a rule", notAllowed],
    ] as const;
    for (const [entry, person, where, expected] of outsiders)
      test(`${person} at ${entry}, ${where}: told so, and whom to ask`, async () => {
        const tab = openTab();
        const words = await refused(tab, await tab.logInAs(stand.loginUrl(entry), person), expected);
        assert.match(words, expected === notAllowed ? /not allowed/ : /uni\.example/);
        assert.ok(words.includes(CONTACT), words);
      });

    for (const fault of idTokenFaults)
      test(`an id_token with the fault "${fault}" logs nobody in`, async (t) => {
        // For `replayed` there must be an earlier one.
        const earlier = openTab();
        await earlier.logInAs(stand.loginUrl("globus"), "grace");
        assert.ok(await isIn(earlier), "a good one does");
        await earlier.follow(`${stand.hub.url}/hub/logout`);
        stand.globus.break(fault);
        t.after(() => stand.globus.break(undefined));
        const tab = openTab();
        const landed = await tab.logInAs(stand.loginUrl("globus"), "grace");
        const words = await refused(tab, landed, idTokenRefusals[fault]);
        assert.match(words, /could not be trusted/);
      });

    test("GitHub's error with status 200, an answer without token, and no answer", async (t) => {
      t.after(() => stand.github.break(undefined));
      for (const fault of ["error", "missing", "down"] as const) {
        stand.github.break(fault);
        const tab = openTab();
        await refused(tab, await tab.logInAs(stand.loginUrl("github"), "ada"), githubRefusals[fault]);
      }
    });

    for (const entry of ["github", "globus"] as const)
      for (const [fault, expected] of Object.entries(callbackRefusals(entry)))
        test(`a callback of ${entry} with ${fault} logs nobody in`, async () => {
          const [insider, outsider] = [entry === "github" ? "ada" : "grace", "bob"];
          const tab = openTab();
          const own = await tab.visitProvider(stand.loginUrl(entry), insider);
          const foreign = await openTab().visitProvider(stand.loginUrl(entry), outsider);
          const callback = forgedCallback(fault as keyof ReturnType<typeof callbackRefusals>, own, foreign);
          await refused(tab, await tab.follow(callback), expected);
        });

    test("a callback opened again, or by a stranger", async () => {
      const tab = openTab();
      const callback = await tab.visitProvider(stand.loginUrl("github"), "ada");
      const stranger = openTab();
      await refused(stranger, await stranger.follow(callback), badState);

      const again = openTab();
      const fresh = await again.visitProvider(stand.loginUrl("github"), "ada");
      await again.follow(fresh);
      assert.ok(await isIn(again));
      assert.deepEqual(refusalIn(await again.follow(fresh)), badState, "once");
      await again.follow(`${stand.hub.url}/hub/logout`);
      await allGivenBack();
    });

    test("two tabs of a browser begin at once and both finish", async () => {
      const tab = openTab();
      const first = await tab.visitProvider(stand.loginUrl("globus"), "grace");
      const second = await tab.visitProvider(stand.loginUrl("globus"), "grace");
      for (const callback of [first, second]) {
        const landed = await tab.follow(callback);
        assert.ok(landed.status < 400, wordsOf(landed.html));
        assert.ok(await isIn(tab));
      }
      await tab.follow(`${stand.hub.url}/hub/logout`);
      await allGivenBack();
    });

    test("a name that is taken: by the other provider's ada, and by whoever got ada's login later", async () => {
      const ada = openTab();
      await ada.logInAs(stand.loginUrl("github"), "ada");
      assert.ok(await isIn(ada));
      await ada.follow(`${stand.hub.url}/hub/logout`);
      await allGivenBack();

      const other = openTab();
      const words = await refused(other, await other.logInAs(stand.loginUrl("globus"), "ada"), nameTaken);
      assert.match(words, /belongs to another account/);

      const { people } = stand.github;
      people.ada.login = "ada-l";
      people.bob.login = "ada";
      people.bob.organizations = { [ORGANIZATION]: { isPublic: false, teams: [TEAM] } };
      const bob = openTab();
      assert.match(
        await refused(bob, await bob.logInAs(stand.loginUrl("github"), "bob"), nameTaken),
        /belongs to another account/,
      );
      const renamed = openTab();
      await renamed.logInAs(stand.loginUrl("github"), "ada");
      assert.ok(await isIn(renamed), "the same person under a new login");
      await renamed.follow(`${stand.hub.url}/hub/logout`);
      await allGivenBack();
    });

    test("no secret of all this is in the log, and no token is left", () => {
      assert.equal(live(), 0);
      const log = stand.hub.log();
      const secrets = [...stand.github.secrets(), ...stand.globus.secrets()];
      assert.ok(secrets.length > 50 && log.includes("not allowed"));
      assert.deepEqual(
        secrets.filter((secret) => log.includes(secret)),
        [],
      );
    });

    test("the page of a refusal, as people see it", { skip: noBrowser() }, async (t) => {
      const browser = await openBrowser();
      t.after(() => browser.close());
      for (const [look, options] of [
        ["light", { viewport: { width: 1280, height: 860 } }],
        ["dark", { viewport: { width: 400, height: 800 }, colorScheme: "dark" }],
      ] as const) {
        const page = await (await browser.newContext(options)).newPage();
        await page.goto(`${stand.hub.url}/hub/login`);
        await photograph(page, `${shape}-refusal-1-login-${look}`);
        await page.getByRole("button", { name: "Sign in with Globus" }).click();
        await page.getByRole("button", { name: "Bob Outside" }).click();
        await photograph(page, `${shape}-refusal-2-consent-${look}`);
        await page.getByRole("button", { name: "Allow Elara" }).click();
        await page.getByText(CONTACT).waitFor();
        await photograph(page, `${shape}-refusal-3-refused-${look}`);
        await page.getByRole("button", { name: "Use another account" }).click();
        await page.getByRole("button", { name: "Grace Hopper" }).waitFor();
      }
    });
  });
}
