import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { digest } from "@elara/runtime/id";
import { provider } from "./authenticators.ts";
import type { Browser } from "./browser.ts";
import { Stand, until } from "./stand.ts";

describe("log-in at a provider", () => {
  let stand: Stand;
  const way = provider();
  before(async () => {
    stand = await Stand.open({ authenticators: [way, provider({ name: "second" })] });
  });
  after(() => stand.close());

  const begin = async (browser: Browser, path = "/hub/oauth_login/provider?next=%2Fhub%2Fhome") => {
    const answer = await browser.get(path);
    assert.equal(answer.statusCode, 302, answer.body);
    const url = new URL(answer.headers.location?.toString() ?? "");
    return { state: url.searchParams.get("state") ?? "", redirectUri: url.searchParams.get("redirect_uri") };
  };

  test("goes there and comes back logged in, at the page that was wanted", async () => {
    const browser = stand.browser();
    const { state, redirectUri } = await begin(browser);
    assert.equal(redirectUri, "http://hub.test/hub/oauth_callback/provider");
    const answer = await browser.get(`/hub/oauth_callback/provider?code=grace&state=${state}`);
    assert.equal(answer.statusCode, 302, answer.body);
    assert.equal(answer.headers.location, "/hub/home");
    assert.equal((await browser.get("/hub/token")).statusCode, 200);
    const user = await stand.userNamed("grace");
    const { items } = await stand.records.identities.find({ where: { userId: user?._id ?? "" } });
    assert.deepEqual(
      items.map(({ issuer, subject }) => [issuer, subject]),
      [["https://idp.test", "sub-grace"]],
    );
    assert.ok(!browser.jar.some(({ name }) => name.startsWith("elara-login-")), "the state is used up");
  });

  test("a page whose address is too long for the ticket is not gone back to", async () => {
    const browser = stand.browser();
    const { state } = await begin(browser, `/hub/oauth_login/provider?next=%2Fhub%2F${"x".repeat(3500)}`);
    const answer = await browser.get(`/hub/oauth_callback/provider?code=grace&state=${state}`);
    assert.equal(answer.headers.location, "/hub/spawn");
  });

  test("two tabs do not disturb each other", async () => {
    const browser = stand.browser();
    const [one, two] = [await begin(browser), await begin(browser)];
    for (const { state } of [two, one])
      assert.equal(
        (await browser.get(`/hub/oauth_callback/provider?code=grace&state=${state}`)).statusCode,
        302,
      );
  });

  test("a stranger's code, a used state, an old one and another provider's are refused", async () => {
    const [victim, attacker] = [stand.browser(), stand.browser()];
    const { state } = await begin(attacker);
    const url = `/hub/oauth_callback/provider?code=mallory&state=${state}`;
    const refused = await victim.get(url);
    assert.equal(refused.statusCode, 400);
    assert.match(refused.body, /not begun in this browser/);
    assert.equal(victim.cookie("jupyterhub-hub-login"), undefined);
    const mixedUp = await attacker.get(url.replace("/provider?", "/second?"));
    assert.equal(mixedUp.statusCode, 400);
    stand.advance(601);
    assert.equal((await attacker.get(url)).statusCode, 400, "too old");
  });

  test("an attempt counts once: not again with its cookie kept, nor at another replica, and the authenticator is not asked", async () => {
    const once = provider();
    const own = await Stand.open({ authenticators: [once] });
    const browser = own.browser();
    const sent = await browser.get("/hub/oauth_login/provider");
    const state = new URL(sent.headers.location?.toString() ?? "").searchParams.get("state");
    const url = `/hub/oauth_callback/provider?code=grace&state=${state}`;
    const kept = browser.jar.filter(({ name }) => name.startsWith("elara-login-"));
    assert.equal(kept.length, 1);
    assert.equal((await browser.get(url)).statusCode, 302);
    const replica = await Stand.open({ authenticators: [once], with: own });
    for (const at of [own, replica]) {
      const thief = at.browser();
      thief.jar.push(...kept);
      const again = await thief.get(url);
      assert.equal(again.statusCode, 400);
      assert.match(again.body, /finished already/);
      assert.equal(thief.cookie("jupyterhub-hub-login"), undefined);
    }
    assert.equal(once.seen.finished, 1);
    const { items } = await own.records.loginAttempts.find();
    assert.equal(items.length, 1);
    assert.ok(!JSON.stringify(items).includes(state ?? "?"), "only its digest is stored");
    await replica.close({ keepStore: true });
    const later = await Stand.open({ authenticators: [once], with: own }, 3600);
    await until(
      "the mark is swept",
      async () => (await own.records.loginAttempts.count()) === 0 || undefined,
    );
    await later.close({ keepStore: true });
    await own.close();
  });

  test("the state is sealed: the browser cannot read or change it", async () => {
    const browser = stand.browser();
    const { state } = await begin(browser);
    const index = browser.jar.findIndex(({ name }) => name.startsWith("elara-login-"));
    const cookie = browser.jar[index];
    assert.ok(cookie);
    for (const part of cookie.value.split("."))
      assert.ok(!Buffer.from(part, "base64url").toString("latin1").includes("verifier"));
    browser.jar[index] = { ...cookie, value: `${cookie.value.slice(0, -2)}AA` };
    assert.equal(
      (await browser.get(`/hub/oauth_callback/provider?code=grace&state=${state}`)).statusCode,
      400,
    );
  });

  test("the state of one attempt is none of another's", async () => {
    const browser = stand.browser();
    const { state } = await begin(browser);
    await begin(browser);
    const [one, two] = browser.jar.filter(({ name }) => name.startsWith("elara-login-"));
    assert.ok(one && two);
    browser.jar.splice(browser.jar.indexOf(one), 1, { ...one, value: two.value });
    const asked = way.seen.finished;
    const answer = await browser.get(`/hub/oauth_callback/provider?code=grace&state=${state}`);
    assert.match(answer.body, /not begun in this browser/);
    assert.equal(way.seen.finished, asked);
  });

  test("another site begins none: it ends at the log-in page, which leads on", async () => {
    const begun = way.seen.others.length;
    for (const headers of [
      { "sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate", "sec-fetch-dest": "document" },
      { "sec-fetch-site": "same-site", "sec-fetch-mode": "navigate" },
      { "sec-fetch-site": "same-origin", "sec-fetch-mode": "no-cors", "sec-fetch-dest": "image" },
      { referer: "https://elsewhere.test/" },
    ]) {
      const browser = stand.browser();
      const sent = await browser.get("/hub/oauth_login/provider?next=%2Fhub%2Fhome", headers);
      assert.equal(sent.statusCode, 302);
      assert.equal(sent.headers.location, "/hub/login?next=%2Fhub%2Fhome");
      assert.ok(!browser.jar.some(({ name }) => name.startsWith("elara-login")));
    }
    assert.equal(way.seen.others.length, begun);
    // A course page links to the log-in page.
    const page = await stand
      .browser()
      .get("/hub/login?next=%2Fhub%2Fhome", { "sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate" });
    assert.match(page.body, /href="\/hub\/oauth_login\/provider\?next=%2Fhub%2Fhome"/);
  });

  test("a browser holds five attempts: the oldest goes when another begins", async () => {
    const browser = stand.browser();
    const states: string[] = [];
    for (let n = 0; n < 7; n += 1) states.push((await begin(browser)).state);
    const open = browser.jar.filter(({ name }) => name.startsWith("elara-login-")).map(({ name }) => name);
    assert.deepEqual(
      open,
      states.slice(2).map((state) => `elara-login-${digest(state).slice(0, 16)}`),
    );
    const finish = (state: string | undefined) =>
      browser.get(`/hub/oauth_callback/provider?code=grace&state=${state}`);
    assert.equal((await finish(states[1])).statusCode, 400);
    for (const state of [states[2], states[6]]) assert.equal((await finish(state)).statusCode, 302);
  });

  test("a refusal by the provider ends at the login page", async () => {
    const browser = stand.browser();
    const { state } = await begin(browser, "/hub/oauth_login");
    const answer = await browser.get(`/hub/oauth_callback?error=access_denied&state=${state}`);
    assert.equal(answer.statusCode, 403);
    assert.match(answer.body, /Sign in with the Provider/);
  });

  test("a provider that is not configured does not exist", async () => {
    assert.equal((await stand.browser().get("/hub/oauth_login/nope")).statusCode, 404);
    assert.equal((await stand.browser().get("/hub/oauth_callback/nope?state=x")).statusCode, 404);
  });
});
