import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { book, provider } from "./authenticators.ts";
import { Stand } from "./stand.ts";

const closed = { allowAll: false, allowedUsers: ["nobody-here"] };
const refused = async (contact: string, code = "mallory") => {
  const way = provider();
  const stand = await Stand.open({ authenticators: [book(), way], config: { ...closed, contact } });
  const { answer, browser } = await stand.atProvider(code);
  return { stand, way, answer, browser, page: answer.body.replaceAll(/\s+/g, " ") };
};

describe("the page of who is not let in", () => {
  test("says as whom, why, by what code, and leads to another account with the place that was wanted", async () => {
    const { stand, way, answer, browser, page } = await refused("");
    assert.equal(answer.statusCode, 403);
    assert.match(page, /logged in with the Provider as <strong class="who">mallory<\/strong>/);
    assert.match(page, /not allowed to use this hub/);
    assert.match(page, /LOGIN_NOT_ALLOWED/);
    assert.match(page, /ask the administrators of this hub/);
    assert.equal(browser.cookie("jupyterhub-hub-login"), undefined);
    const link = /href="(\/hub\/oauth_login\/provider\?account=other[^"]*)"/.exec(page)?.[1] ?? "";
    const again = await browser.get(link.replaceAll("&amp;", "&"));
    assert.equal(again.statusCode, 302);
    assert.deepEqual(way.seen.others, [false, true], "the provider is to ask who it is");
    const state = new URL(again.headers.location?.toString() ?? "").searchParams.get("state");
    const back = await browser.get(`/hub/oauth_callback/provider?code=nobody-here&state=${state}`);
    assert.equal(back.headers.location, "/hub/home");
    await stand.close();
  });

  test("is shown after a form too, and leads back to it", async () => {
    const stand = await Stand.open({ authenticators: [book()], config: closed });
    const answer = await stand.browser().login("mallory", "mallory-secret", { next: "/hub/home" });
    assert.equal(answer.statusCode, 403);
    assert.match(answer.body, /as <strong class="who">mallory<\/strong>/);
    assert.match(answer.body, /href="\/hub\/login\?next=%2Fhub%2Fhome"[^>]*>Use another account/);
    await stand.close();
  });

  test("whom to ask: a mail address and a page are links, all else is text", async () => {
    const cases: Record<string, RegExp> = {
      "help@example.org": /ask <a href="mailto:help@example\.org">help@example\.org<\/a>/,
      "https://example.org/help/": /ask <a href="https:\/\/example\.org\/help\/">example\.org\/help<\/a>/,
      "Room 12, ask for Grace": /ask: Room 12, ask for Grace/,
      "javascript:alert(1)": /ask: javascript:alert\(1\)/,
      '"><script>alert(1)</script>': /ask: &#34;&gt;&lt;script&gt;/,
    };
    for (const [contact, expected] of Object.entries(cases)) {
      const { stand, page } = await refused(contact);
      assert.match(page, expected);
      await stand.close();
    }
  });

  test("a name from outside is shown as plain text, without what is invisible or turns it around", async () => {
    const { stand, page } = await refused("", `<b>m\u202eyrolla\u200b\n${"x".repeat(200)}`);
    assert.match(page, /<strong class="who">&lt;b&gt;m yrolla x{60,70}…<\/strong>/);
    await stand.close();
  });

  test("who comes back without success too often from one address has to wait", async () => {
    const throttle = { callbacksPerAddress: 3, windowSeconds: 60 };
    const stand = await Stand.open({ authenticators: [provider()], config: { allowAll: true, throttle } });
    const callback = async (query: string) => {
      const browser = stand.browser();
      const sent = await browser.get("/hub/oauth_login/provider");
      const state = new URL(sent.headers.location?.toString() ?? "").searchParams.get("state");
      return browser.get(`/hub/oauth_callback/provider?state=${state}${query}`);
    };
    for (let time = 0; time < 5; time += 1) assert.equal((await callback("&code=ada")).statusCode, 302);
    for (let time = 0; time < 3; time += 1) {
      const answer = await callback("&error=access_denied");
      assert.equal(answer.statusCode, 403);
      assert.match(answer.body, /the Provider did not say who you are/);
    }
    const waits = await callback("&code=ada");
    assert.equal(waits.statusCode, 429);
    assert.ok(waits.headers["retry-after"]);
    await stand.close();
  });
});
