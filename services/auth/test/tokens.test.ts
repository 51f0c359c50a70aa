import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { ActivitySeen } from "@elara/contracts";
import { digest } from "@elara/runtime/id";
import { inputsOf } from "./browser.ts";
import { Stand, until } from "./stand.ts";

describe("the tokens API", () => {
  let stand: Stand;
  let ada = "";
  let root = "";
  before(async () => {
    stand = await Stand.open({ config: { adminUsers: ["root"] } });
    ada = await first("ada");
    root = await first("root");
    await stand.loggedIn("bob");
  });
  after(() => stand.close());

  /** The first token of a user, by the browser. */
  async function first(name: string): Promise<string> {
    const browser = await stand.loggedIn(name);
    const answer = await browser.send(
      "POST",
      `/hub/api/users/${name}/tokens`,
      {},
      { "x-xsrftoken": browser.cookie("_xsrf") ?? "" },
    );
    assert.equal(answer.statusCode, 201, answer.body);
    return answer.json().token;
  }

  test("makes a token, told once, kept by its digest, with its event", async () => {
    const { status, body } = await stand.api(ada, "POST", "/users/ada/tokens", {
      note: "for my script",
      expires_in: 3600,
    });
    assert.equal(status, 201);
    const { token, id, created, expires_at, scopes, ...rest } = body;
    assert.deepEqual(rest, {
      user: "ada",
      kind: "api_token",
      roles: [],
      last_activity: null,
      note: "for my script",
      session_id: null,
      oauth_client: "JupyterHub",
    });
    assert.match(token, /^[0-9a-f]{32}$/);
    assert.match(id, /^a\d+$/);
    assert.ok(scopes.includes("tokens!user=ada"));
    // Two looks at the clock.
    assert.ok(Math.abs(Date.parse(expires_at) - Date.parse(created) - 3_600_000) < 1000);
    assert.ok(await stand.records.tokens.get(digest(token)));
    const event = await stand.event("token.created", ({ data }) => data.publicId === id);
    assert.ok(!JSON.stringify(event).includes(token));
    assert.ok(!JSON.stringify((await stand.records.tokens.find()).items).includes(token));
    const { body: one } = await stand.api(ada, "GET", `/users/ada/tokens/${id}`);
    assert.equal("token" in one, false);
    assert.equal(one.id, id);
  });

  test("a use seen by another service a moment ago is shown", async () => {
    const { body } = await stand.api(ada, "POST", "/users/ada/tokens");
    const used = new Date().toISOString();
    const userId = (await stand.userNamed("ada"))?._id ?? "";
    stand.bus.notify(ActivitySeen, { entries: [{ userId, key: `t:${body.id}`, last: { use: used } }] }, {});
    const shown = await until("the use is shown", async () => {
      const one = await stand.api(ada, "GET", `/users/ada/tokens/${body.id}`);
      return one.body.last_activity ?? undefined;
    });
    assert.equal(Date.parse(shown), Date.parse(used));
  });

  test("notes say who asked", async () => {
    assert.equal((await stand.api(ada, "POST", "/users/ada/tokens")).body.note, "Requested via api");
    assert.equal(
      (await stand.api(root, "POST", "/users/ada/tokens")).body.note,
      "Requested via api by user root",
    );
  });

  test("revoking is known at once and told; the token is gone from the list", async () => {
    const { body } = await stand.api(ada, "POST", "/users/ada/tokens", { note: "short" });
    assert.equal((await stand.api(body.token, "GET", "/users/ada/tokens")).status, 200);
    const answer = await stand.api(ada, "DELETE", `/users/ada/tokens/${body.id}`);
    assert.deepEqual([answer.status, answer.text], [204, ""]);
    assert.equal((await stand.api(body.token, "GET", "/users/ada/tokens")).status, 403);
    const missing = await stand.api(ada, "DELETE", `/users/ada/tokens/${body.id}`);
    assert.deepEqual([missing.status, missing.body.message], [404, `No such token ${body.id} for user ada`]);
    const list = (await stand.api(ada, "GET", "/users/ada/tokens")).body.api_tokens;
    assert.ok(!list.some((each: { id: string }) => each.id === body.id));
    await stand.event("token.revoked", ({ data }) => data.publicId === body.id);
  });

  test("an expired token is neither valid nor listed", async () => {
    const { body } = await stand.api(ada, "POST", "/users/ada/tokens", { expires_in: 5 });
    stand.advance(6);
    assert.equal((await stand.api(body.token, "GET", "/users/ada/tokens")).status, 403);
    assert.equal((await stand.api(ada, "GET", `/users/ada/tokens/${body.id}`)).status, 404);
  });

  test("wrong bodies are told in JupyterHub's words", async () => {
    const cases: [unknown, RegExp][] = [
      [{ expires_in: "soon" }, /expires_in must be/],
      [{ expires_in: 1e300 }, /must not exceed 3153600000/],
      [{ scopes: "read:users" }, /list of strings/],
      [{ scopes: [1] }, /list of strings/],
      [{ roles: "admin" }, /list of strings/],
      [{ scopes: ["no:such:scope"] }, /no:such:scope/],
      [{ scopes: ["self"], roles: ["user"] }, /not both/],
      [{ scopes: ["admin:users"] }, /Not assigning requested scopes .*admin:users.* not held by User ada/],
      [{ roles: ["admin"] }, /not held by User ada/],
      [[], /JSON dict/],
    ];
    for (const [body, message] of cases) {
      const answer = await stand.api(root, "POST", "/users/ada/tokens", body);
      assert.equal(answer.status, 400, JSON.stringify(body));
      assert.match(answer.body.message, message);
    }
  });

  test("a token with few scopes says who it is, and cannot make one with more", async () => {
    const few = (await stand.api(ada, "POST", "/users/ada/tokens", { scopes: ["read:users:name!user"] }))
      .body;
    assert.deepEqual(few.scopes, ["read:users:groups!user=ada", "read:users:name!user=ada"]);
    const maker = (await stand.api(ada, "POST", "/users/ada/tokens", { scopes: ["tokens!user"] })).body;
    for (const body of [undefined, { scopes: ["servers!user"] }]) {
      const answer = await stand.api(maker.token, "POST", "/users/ada/tokens", body);
      assert.equal(answer.status, 400);
      assert.match(answer.body.message, /not held by the credential/);
    }
    assert.equal(
      (await stand.api(maker.token, "POST", "/users/ada/tokens", { scopes: ["read:tokens!user"] })).status,
      201,
    );
  });

  test("others are out of reach, and it does not show who exists", async () => {
    for (const name of ["bob", "nobody"]) {
      assert.equal((await stand.api(ada, "GET", `/users/${name}/tokens`)).status, 404);
      const answer = await stand.api(ada, "POST", `/users/${name}/tokens`);
      assert.deepEqual(
        [answer.status, answer.body.message],
        [403, `User ${name} not found or no permissions to generate tokens`],
      );
    }
    const [own] = (await stand.api(ada, "GET", "/users/ada/tokens")).body.api_tokens;
    assert.equal((await stand.api(root, "GET", `/users/bob/tokens/${own.id}`)).status, 404);
    assert.equal((await stand.api(root, "DELETE", `/users/bob/tokens/${own.id}`)).status, 404);
  });

  test("a password in the body counts, throttled; nothing at all does not", async () => {
    const post = (body: unknown) =>
      stand.app.inject({ method: "POST", url: "/hub/api/users/ada/tokens", payload: JSON.stringify(body) });
    const made = await post({ auth: { username: "ada", password: "ada-secret" }, note: "by password" });
    assert.equal(made.statusCode, 201, made.body);
    assert.equal((await stand.api(made.json().token, "GET", "/users/ada/tokens")).status, 200);
    assert.equal((await post({})).statusCode, 403);
    assert.equal(
      (await post({ auth: { username: "bob", password: "bob-secret" } })).statusCode,
      403,
      "somebody else",
    );
    const tries: number[] = [];
    for (let i = 0; i < 11; i += 1)
      tries.push((await post({ auth: { username: "ada", password: "wrong" } })).statusCode);
    assert.deepEqual(tries, [...Array(10).fill(403), 429]);
  });

  test("a cookie needs its XSRF token", async () => {
    const browser = await stand.loggedIn("bob");
    assert.equal((await browser.send("POST", "/hub/api/users/bob/tokens", {})).statusCode, 403);
    assert.deepEqual((await browser.get("/hub/api/users/bob/tokens")).json(), { api_tokens: [] });
  });

  test("whose token: for whoever has one", async () => {
    const answer = await stand.api(root, "GET", `/authorizations/token/${ada}`);
    assert.equal(answer.body.name, "ada");
    assert.equal((await stand.api(root, "GET", "/authorizations/token/nonsense")).status, 404);
    assert.equal((await stand.app.inject(`/hub/api/authorizations/token/${ada}`)).statusCode, 403);
  });
});

describe("the token page", () => {
  let stand: Stand;
  before(async () => {
    stand = await Stand.open({ config: { tokenMaxDays: 30 } });
  });
  after(() => stand.close());

  test("makes a token and shows it once, lists it, revokes it", async () => {
    const ada = await stand.loggedIn("ada");
    const page = await ada.get("/hub/token");
    const { _xsrf = "" } = Object.fromEntries(inputsOf(page.body));
    assert.ok(
      !page.body.includes('value="365"') && !page.body.includes('value="0"'),
      "no longer than tokenMaxDays",
    );
    const made = await ada.post("/hub/token", { _xsrf, note: "<b>note</b>", days: "7" });
    assert.equal(made.statusCode, 200);
    const secret = /value="([0-9a-f]{32})"/.exec(made.body)?.[1] ?? "";
    assert.equal((await stand.api(secret, "GET", "/users/ada/tokens")).status, 200);
    const listed = await ada.get("/hub/token");
    assert.ok(listed.body.includes("&lt;b&gt;note&lt;/b&gt;") && !listed.body.includes(secret));
    const id = /name="revoke" value="(a\d+)"/.exec(listed.body)?.[1] ?? "";
    assert.equal((await ada.post("/hub/token", { revoke: id })).statusCode, 403, "not without XSRF");
    const answer = await ada.post("/hub/token", { _xsrf, revoke: id });
    assert.deepEqual([answer.statusCode, answer.headers.location], [303, "/hub/token"]);
    assert.equal((await stand.api(secret, "GET", "/users/ada/tokens")).status, 403);
  });

  test("lifetimes that are not offered are refused", async () => {
    const ada = await stand.loggedIn("ada");
    const _xsrf = ada.cookie("_xsrf") ?? "";
    for (const days of ["0", "365", "x", ""])
      assert.equal((await ada.post("/hub/token", { _xsrf, days })).statusCode, 400, days);
  });

  test("the API keeps to the longest life too", async () => {
    const ada = await stand.loggedIn("ada");
    const post = (body: object) =>
      ada.send("POST", "/hub/api/users/ada/tokens", body, { "x-xsrftoken": ada.cookie("_xsrf") ?? "" });
    const seconds = 30 * 86_400;
    const refused = await post({ expires_in: 9_999_999 });
    assert.equal(refused.json().message, `token expires_in: 9999999 must not exceed ${seconds}`);
    const made = (await post({})).json();
    assert.equal(Date.parse(made.expires_at) - Date.parse(made.created), seconds * 1000);
  });
});
