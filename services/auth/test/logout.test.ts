import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { Stand } from "./stand.ts";

describe("log-out", () => {
  let stand: Stand;
  before(async () => {
    stand = await Stand.open();
  });
  after(() => stand.close());
  const NAVIGATION = { "sec-fetch-mode": "navigate", "sec-fetch-dest": "document" };

  test("clears the four cookies, revokes the session and its tokens, and tells of it", async () => {
    const browser = await stand.loggedIn("ada");
    const secret = browser.cookie("jupyterhub-hub-login") ?? "";
    const user = await stand.userNamed("ada");
    const sessionId = browser.cookie("jupyterhub-session-id") ?? "";
    const given = await stand.records.tokens.insert({
      ...token(user?._id ?? "", "a".repeat(64), "a41"),
      sessionId,
    });
    const other = await stand.records.tokens.insert(token(user?._id ?? "", "b".repeat(64), "a42"));
    const answer = await browser.get("/hub/logout", { ...NAVIGATION, "sec-fetch-site": "same-origin" });
    assert.equal(answer.statusCode, 302);
    assert.equal(answer.headers.location, "/hub/login");
    assert.deepEqual(answer.cookies.map(({ name, path }) => [name, path]).sort(), [
      ["_xsrf", "/hub/"],
      ["jupyterhub-hub-login", "/hub/"],
      ["jupyterhub-services", "/services"],
      ["jupyterhub-session-id", "/"],
    ]);
    assert.equal(browser.jar.length, 0);
    const old = await stand.browser().get("/hub/token", { cookie: `jupyterhub-hub-login=${secret}` });
    assert.equal(old.statusCode, 302, "the cookie opens nothing any more");
    assert.notEqual((await stand.records.tokens.get(given._id))?.revokedAt, "");
    assert.equal((await stand.records.tokens.get(other._id))?.revokedAt, "", "a token of its own is kept");
    await stand.event("user.logged_out", ({ data }) => data.name === "ada");
  });

  test("GET logs out from own pages, from a typed address, and where the browser does not say", async () => {
    for (const headers of [
      { ...NAVIGATION, "sec-fetch-site": "same-origin" },
      { ...NAVIGATION, "sec-fetch-site": "none" },
      { referer: "http://hub.test/user/bob/lab" },
      {},
    ]) {
      const browser = await stand.loggedIn("bob");
      assert.equal((await browser.get("/hub/logout", headers)).statusCode, 302);
      assert.equal(browser.cookie("jupyterhub-hub-login"), undefined);
    }
  });

  test("GET that another site made asks first; the button logs out", async () => {
    for (const headers of [
      { ...NAVIGATION, "sec-fetch-site": "cross-site" },
      { ...NAVIGATION, "sec-fetch-site": "same-site" },
      { "sec-fetch-mode": "no-cors", "sec-fetch-dest": "image", "sec-fetch-site": "same-origin" },
      { ...NAVIGATION, "sec-fetch-dest": "iframe", "sec-fetch-site": "same-origin" },
      { referer: "https://evil.test/" },
    ]) {
      const browser = await stand.loggedIn("bob");
      const answer = await browser.get("/hub/logout", headers);
      assert.equal(answer.statusCode, 403);
      assert.match(answer.body, /<form action="\/hub\/logout" method="post">/);
      assert.equal((await browser.get("/hub/token")).statusCode, 200);
      assert.equal((await browser.post("/hub/logout", {})).statusCode, 403, "not without the token");
      const done = await browser.post("/hub/logout", { _xsrf: browser.cookie("_xsrf") ?? "" });
      assert.equal(done.statusCode, 302);
      assert.equal(browser.cookie("jupyterhub-hub-login"), undefined);
    }
  });

  test("is resumed wherever the store goes away in it: no token of the session outlives it", async () => {
    const userId = (await stand.userNamed("bob"))?._id ?? "";
    for (let writes = 0; writes < 4; writes += 1) {
      const browser = await stand.loggedIn("bob");
      const given = await stand.records.tokens.insert({
        ...token(userId, `${writes}`.repeat(64), `a5${writes}`),
        sessionId: browser.cookie("jupyterhub-session-id") ?? "",
      });
      stand.awayAfter(writes);
      await browser.get("/hub/logout");
      stand.awayAfter(undefined);
      await browser.get("/hub/logout");
      assert.equal((await browser.get("/hub/token")).statusCode, 302);
      assert.notEqual((await stand.records.tokens.get(given._id))?.revokedAt, "", `after ${writes} writes`);
    }
  });

  test("without a login it is no error", async () => {
    assert.equal((await stand.browser().get("/hub/logout")).headers.location, "/hub/login");
    assert.equal((await stand.browser().post("/hub/logout", {})).statusCode, 302);
  });
});

const token = (userId: string, id: string, publicId: string) => ({
  _id: id,
  v: 1,
  seq: 0,
  pendingEvents: [],
  pendingSince: "",
  deletedAt: "",
  publicId,
  kind: "oauth" as const,
  userId,
  service: "",
  clientId: "service-x",
  serverId: "",
  generation: 0,
  sessionId: "",
  note: "",
  scopes: [],
  createdAt: new Date().toISOString(),
  expiresAt: "",
  revokedAt: "",
  accessChangedAt: "",
});
