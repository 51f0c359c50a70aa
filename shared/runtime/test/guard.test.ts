import assert from "node:assert/strict";
import { after, before, beforeEach, describe, it } from "node:test";
import type { InjectOptions } from "fastify";
import { requireAnyOf } from "../src/http/guard.ts";
import { visibleFields } from "../src/scopes/fields.ts";
import { type TestApp, testApp } from "./fixtures/app.ts";
import { addServer, addSession, addToken, addUser } from "./fixtures/people.ts";

const TOKEN = { authorization: "token adas-token" };
const COOKIE = { cookie: "jupyterhub-hub-login=adas-login" };

describe("the guard", () => {
  let hub: TestApp;
  const ask = (url: string, headers: Record<string, string> = {}, more: InjectOptions = {}) =>
    hub.app.inject({ url, headers, ...more });

  before(async () => {
    hub = await testApp();
    const { app, store } = hub;
    await addUser(store, "ada");
    await addUser(store, "root", { admin: true });
    await addToken(store, "adas-token", "ada");
    await addSession(store, "adas-login", "ada");
    await addToken(store, "roots-token", "root");
    await addToken(store, "weak-token", "root", { scopes: ["read:users:name!user=ada"] });
    app.get("/hub/api/user", { config: { access: { kind: "user" } } }, async ({ identity }) => ({
      name: identity?.name,
      via: identity?.via,
    }));
    app.post(
      "/hub/api/user",
      { config: { access: { kind: "user" } } },
      async ({ identity }) => identity?.name,
    );
    app.get<{ Params: { name: string } }>(
      "/hub/api/users/:name",
      {
        config: {
          access: {
            kind: "scopes",
            anyOf: ["read:users:name", "read:servers"],
            resource: ({ params }) => ({ user: Reflect.get(Object(params), "name") }),
          },
        },
      },
      async ({ params }) => params.name,
    );
    app.get(
      "/hub/api/users",
      { config: { access: { kind: "scopes", anyOf: ["list:users", "read:users:name"], list: true } } },
      async ({ identity }) => identity?.scopes.usersOf("read:users:name"),
    );
    app.get(
      "/hub/api/proxy",
      { config: { access: { kind: "scopes", anyOf: ["proxy"] } } },
      async () => "routes",
    );
    app.get("/hub/home", { config: { access: { kind: "page" } } }, async ({ identity }) => identity?.name);
    app.post("/hub/spawn", { config: { access: { kind: "page" } } }, async ({ identity }) => identity?.name);
    app.get("/hub/admin", { config: { access: { kind: "page", anyOf: ["admin-ui"] } } }, async () => "admin");
    app.get("/hub/user/*", { config: { access: { kind: "page", tokens: true } } }, async () => "not running");
    app.get("/hub/open", { config: { access: { kind: "public" } } }, async (request) => ({
      before: request.identity?.name ?? null,
      after: (await request.identify())?.name ?? null,
    }));
    app.post("/hub/api/open", { config: { access: { kind: "public" } } }, async (request) => {
      return (await request.identify())?.name ?? "nobody";
    });
    await app.ready();
  });
  after(() => hub.close());

  it("takes a token in either spelling, in any case", async () => {
    for (const authorization of [
      "token adas-token",
      "Bearer adas-token",
      "TOKEN   adas-token",
      "bearer adas-token ",
    ])
      assert.deepEqual(JSON.parse((await ask("/hub/api/user", { authorization })).body), {
        name: "ada",
        via: "token",
      });
  });

  it("refuses whoever shows nothing valid, in JupyterHub's words", async () => {
    for (const headers of [
      {},
      { authorization: "token wrong" },
      { authorization: "Basic YWRhOng=" },
      { cookie: "jupyterhub-hub-login=wrong" },
      { cookie: "jupyterhub-hub-login=adas-token" },
      { authorization: "token adas-login" },
    ]) {
      const { statusCode, body } = await ask("/hub/api/user", headers);
      assert.deepEqual(
        [statusCode, JSON.parse(body)],
        [403, { status: 403, message: "Missing or invalid credentials.", code: "NO_CREDENTIALS" }],
      );
    }
    assert.equal((await ask("/hub/api/user?token=adas-token")).statusCode, 403);
  });

  it("falls back from an invalid token to the cookie", async () => {
    const { body } = await ask("/hub/api/user", { ...COOKIE, authorization: "token stale" });
    assert.deepEqual(JSON.parse(body), { name: "ada", via: "cookie" });
  });

  it("tells apart: no such scope (403, named) and not for this one (404, like one that does not exist)", async () => {
    const lacking = await ask("/hub/api/proxy", TOKEN);
    assert.equal(lacking.statusCode, 403);
    assert.equal(
      JSON.parse(lacking.body).message,
      "Action is not authorized with current scopes; requires any of [proxy]",
    );
    for (const name of ["root", "nobody"]) {
      const { statusCode, body } = await ask(`/hub/api/users/${name}`, TOKEN);
      assert.equal(statusCode, 404);
      assert.equal(JSON.parse(body).message, "No access to resources or resources not found");
    }
    assert.equal((await ask("/hub/api/users/ada", TOKEN)).body, "ada");
    assert.equal((await ask("/hub/api/users/root", { authorization: "token roots-token" })).body, "root");
  });

  it("lets filtered holders into lists, which filter for themselves", async () => {
    assert.deepEqual(JSON.parse((await ask("/hub/api/users", TOKEN)).body), ["ada"]);
    assert.deepEqual(JSON.parse((await ask("/hub/api/users", { authorization: "token weak-token" })).body), [
      "ada",
      "root",
    ]);
  });

  it("sends a browser without login to the login page and back, whatever it accepts", async () => {
    const { statusCode, headers } = await ask("/hub/home?a=1&b=2", { accept: "application/json" });
    assert.equal(statusCode, 302);
    assert.equal(headers.location, "/hub/login?next=%2Fhub%2Fhome%3Fa%3D1%26b%3D2");
    assert.equal((await ask("/hub/spawn", {}, { method: "POST" })).statusCode, 403);
  });

  it("takes only cookies on pages, and tokens where a page asks for it", async () => {
    assert.equal((await ask("/hub/home", COOKIE)).body, "ada");
    assert.equal((await ask("/hub/home", TOKEN)).statusCode, 302);
    assert.equal((await ask("/hub/user/ada/lab", TOKEN)).body, "not running");
    assert.equal((await ask("/hub/admin", COOKIE)).statusCode, 403);
  });

  it("identifies nobody on public routes until asked", async () => {
    assert.deepEqual(JSON.parse((await ask("/hub/open", COOKIE)).body), { before: null, after: "ada" });
    assert.deepEqual(JSON.parse((await ask("/hub/open")).body), { before: null, after: null });
  });

  it("takes a cookie for nothing there too, when a form of another site could have sent it", async () => {
    const post = (type: string) =>
      ask("/hub/api/open", { ...COOKIE, "content-type": type }, { method: "POST", payload: "{}" });
    assert.equal((await post("text/plain")).body, "nobody");
    assert.equal((await post("application/json")).body, "ada");
  });

  it("takes a cookie for nothing on the API when a form of another site could have sent it", async () => {
    const post = (type: string) =>
      ask("/hub/api/user", { ...COOKIE, "content-type": type }, { method: "POST", payload: "{}" });
    for (const type of ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"])
      assert.equal(JSON.parse((await post(type)).body).code, "NO_CREDENTIALS", type);
    assert.equal(JSON.parse((await post("application/json; charset=utf-8")).body).code, "XSRF_MISSING");
  });
});

describe("while the store is away", () => {
  it("serves reading and activity reports from memory, refuses all else, and asks for patience", async (t) => {
    const { app, store, identities, clock, close } = await testApp();
    t.after(close);
    await addUser(store, "ada");
    await addToken(store, "adas-token", "ada");
    const user = { access: { kind: "user" } } as const;
    app.get("/hub/api/user", { config: user }, async ({ identity }) => identity?.name);
    app.post("/hub/api/server", { config: user }, async () => "started");
    app.post("/hub/api/activity", { config: { ...user, duringOutage: "serve" } }, async () => "noted");
    app.get("/hub/health", { config: { access: { kind: "public" } } }, async () => "ok");
    await identities.byToken("adas-token");
    store.isAway = true;
    clock.forward(1000);

    const ask = (method: "GET" | "POST", url: string, headers: Record<string, string> = TOKEN) =>
      app.inject({ method, url, headers });
    assert.equal((await ask("GET", "/hub/api/user")).body, "ada");
    assert.equal((await ask("POST", "/hub/api/activity")).body, "noted");
    assert.equal((await ask("GET", "/hub/health", COOKIE)).body, "ok");
    for (const refused of [
      await ask("POST", "/hub/api/server"),
      await ask("GET", "/hub/api/user", { authorization: "token unknown" }),
    ]) {
      assert.deepEqual([refused.statusCode, refused.headers["retry-after"]], [503, "2"]);
      assert.equal(JSON.parse(refused.body).code, "STORE_AWAY");
    }
  });
});

describe("checking scopes in a handler", () => {
  it("names the scopes that would do", async (t) => {
    const { store, identities, close } = await testApp();
    t.after(close);
    await addUser(store, "ada");
    await addToken(store, "t", "ada");
    const identity = await identities.byToken("t");
    assert.ok(identity);
    assert.throws(() => requireAnyOf(identity.scopes, ["shutdown", "proxy"], {}), { code: "SCOPE_MISSING" });
    assert.throws(() => requireAnyOf(identity.scopes, ["tokens"], { user: "eve" }), { code: "NO_ACCESS" });
    requireAnyOf(identity.scopes, ["tokens"], { user: "ada" });
  });
});

describe("the identity a single-user server is told", () => {
  it("comes out like JupyterHub's for a token given by OAuth", async (t) => {
    const { store, identities, close } = await testApp();
    t.after(close);
    await addUser(store, "alice");
    await addToken(store, "given", "alice", {
      kind: "oauth",
      publicId: "a6",
      sessionId: "0123456789abcdef0123456789abcdef",
      scopes: ["read:users:name!user", "access:servers!server=alice/", "read:users:groups!user"],
    });
    const identity = await identities.byToken("given");
    assert.ok(identity);
    assert.deepEqual(identity.scopes.list(), [
      "access:servers!server=alice/",
      "read:users:groups!user=alice",
      "read:users:name!user=alice",
    ]);
    assert.deepEqual(
      [identity.tokenId, identity.sessionId, identity.groups, identity.admin],
      ["a6", "0123456789abcdef0123456789abcdef", [], false],
    );
    assert.deepEqual([...visibleFields("user", identity.scopes, { user: "alice" })].sort(), [
      "admin",
      "groups",
      "kind",
      "name",
      "user_info",
    ]);
  });

  it("holds for a server's own token exactly activity of its user and access to itself", async (t) => {
    const { store, identities, close } = await testApp();
    t.after(close);
    await addUser(store, "alice");
    const server = await addServer(store, "alice", "lab2");
    await addToken(store, "own", "alice", {
      kind: "server",
      serverId: server._id,
      scopes: ["users:activity!user", "access:servers!server"],
    });
    const identity = await identities.byToken("own");
    assert.deepEqual(identity?.scopes.list(), [
      "access:servers!server=alice/lab2",
      "read:users:activity!user=alice",
      "read:users:groups!user=alice",
      "read:users:name!user=alice",
      "users:activity!user=alice",
    ]);
    assert.equal(identity?.serverId, server._id);
  });
});

describe("XSRF protection of what a cookie authenticates", () => {
  let hub: TestApp;
  let xsrf: string;
  let jar: string;
  const token = (setCookie: string | string[] | undefined): string =>
    /_xsrf=([^;]*)/.exec(String([setCookie].flat().find((each) => each?.startsWith("_xsrf="))))?.[1] ?? "";

  before(async () => {
    hub = await testApp();
    const { app, store } = hub;
    for (const name of ["ada", "eve"]) {
      await addUser(store, name);
      await addSession(store, `${name}-login`, name);
    }
    await addToken(store, "adas-token", "ada");
    app.get("/hub/home", { config: { access: { kind: "page" } } }, async (_, reply) =>
      reply.server.xsrf.issue(reply),
    );
    app.get("/hub/login", { config: { access: { kind: "public" } } }, async (_, reply) =>
      reply.server.xsrf.issue(reply),
    );
    app.post("/hub/login", { config: { access: { kind: "public" } } }, async (request) => {
      request.server.xsrf.check(request);
      return "in";
    });
    app.post("/hub/spawn", { config: { access: { kind: "page" } } }, async () => "done");
    app.get("/hub/api/user", { config: { access: { kind: "user" } } }, async () => "ada");
    app.delete("/hub/api/user", { config: { access: { kind: "user" } } }, async () => "gone");
    await app.ready();
  });
  after(() => hub.close());

  beforeEach(async () => {
    const { headers } = await hub.app.inject({
      url: "/hub/home",
      headers: { cookie: "jupyterhub-hub-login=ada-login" },
    });
    xsrf = token(headers["set-cookie"]);
    jar = `jupyterhub-hub-login=ada-login; _xsrf=${xsrf}`;
  });

  const codeOfAnswer = async (options: InjectOptions) => {
    const { statusCode, body } = await hub.app.inject({
      ...options,
      headers: { cookie: jar, accept: "application/json", ...options.headers },
    });
    return statusCode === 200 ? "ok" : JSON.parse(body).code;
  };
  const form = { "content-type": "application/x-www-form-urlencoded" };

  it("hands the token out readable for scripts, for the hub's paths and same-site requests only", async () => {
    const { headers } = await hub.app.inject({
      url: "/hub/home",
      headers: { cookie: "jupyterhub-hub-login=ada-login" },
    });
    assert.match(String(headers["set-cookie"]), /^_xsrf=[\w.-]+; Path=\/hub\/; SameSite=Lax$/);
    const again = await hub.app.inject({ url: "/hub/home", headers: { cookie: jar } });
    assert.equal(again.headers["set-cookie"], undefined, "a valid one is kept, other tabs hold it");
    assert.equal(again.body, xsrf);
  });

  it("takes the token as form field, query or header", async () => {
    const post = { method: "POST", url: "/hub/spawn" } as const;
    assert.equal(await codeOfAnswer({ ...post, payload: `_xsrf=${xsrf}`, headers: form }), "ok");
    assert.equal(await codeOfAnswer({ ...post, url: `/hub/spawn?_xsrf=${xsrf}` }), "ok");
    assert.equal(await codeOfAnswer({ ...post, headers: { "x-xsrftoken": xsrf } }), "ok");
    assert.equal(await codeOfAnswer({ ...post, headers: { "x-csrftoken": xsrf } }), "ok");
  });

  it("refuses changes without it, with another's, with a forged one, or from another site", async () => {
    const post = { method: "POST", url: "/hub/spawn" } as const;
    assert.equal(await codeOfAnswer(post), "XSRF_MISSING");
    assert.equal(await codeOfAnswer({ method: "DELETE", url: "/hub/api/user" }), "XSRF_MISSING");
    assert.equal(await codeOfAnswer({ ...post, headers: { "x-xsrftoken": "x" } }), "XSRF_MISMATCH");
    const forged = { cookie: "jupyterhub-hub-login=ada-login; _xsrf=mine", "x-xsrftoken": "mine" };
    assert.equal(await codeOfAnswer({ ...post, headers: forged }), "XSRF_MISMATCH");
    const eves = token(
      (await hub.app.inject({ url: "/hub/home", headers: { cookie: "jupyterhub-hub-login=eve-login" } }))
        .headers["set-cookie"],
    );
    const tossed = { cookie: `jupyterhub-hub-login=ada-login; _xsrf=${eves}`, "x-xsrftoken": eves };
    assert.equal(await codeOfAnswer({ ...post, headers: tossed }), "XSRF_MISMATCH");
    for (const site of ["cross-site", "same-site", "none"])
      assert.equal(
        await codeOfAnswer({ ...post, headers: { "x-xsrftoken": xsrf, "sec-fetch-site": site } }),
        "XSRF_MISMATCH",
        site,
      );
  });

  it("counts the first valid one of several cookies", async () => {
    const cookie = `_xsrf=old; jupyterhub-hub-login=ada-login; _xsrf=${xsrf}`;
    const headers = { cookie, "x-xsrftoken": xsrf };
    assert.equal(await codeOfAnswer({ method: "POST", url: "/hub/spawn", headers }), "ok");
  });

  for (const [what, headers, expected] of [
    ["a navigation", { "sec-fetch-mode": "navigate" }, "ok"],
    ["a client that says nothing", {}, "ok"],
    ["an image of our page", { "sec-fetch-mode": "no-cors", "sec-fetch-site": "same-origin" }, "ok"],
    ["a script", { "sec-fetch-mode": "cors", "sec-fetch-site": "same-origin" }, "XSRF_MISSING"],
    ["a script (same-origin)", { "sec-fetch-mode": "same-origin" }, "XSRF_MISSING"],
    [
      "an embed from elsewhere",
      { "sec-fetch-mode": "no-cors", "sec-fetch-site": "cross-site" },
      "XSRF_MISSING",
    ],
    ["an embed of unknown origin", { "sec-fetch-mode": "no-cors" }, "XSRF_MISSING"],
  ] as const) {
    it(`answers GET by ${what} with ${expected}`, async () => {
      assert.equal(await codeOfAnswer({ url: "/hub/api/user", headers }), expected);
    });
  }

  it("never asks a token's holder", async () => {
    const headers = { authorization: "token adas-token", cookie: "", "sec-fetch-mode": "cors" };
    assert.equal(await codeOfAnswer({ method: "DELETE", url: "/hub/api/user", headers }), "ok");
  });

  it("binds the login form's token to the browser, for an hour", async () => {
    const page = await hub.app.inject({ url: "/hub/login", headers: { "user-agent": "one" } });
    assert.match(String(page.headers["set-cookie"]), /Max-Age=3600/);
    const anonymous = token(page.headers["set-cookie"]);
    const login = (agent: string) =>
      codeOfAnswer({
        method: "POST",
        url: "/hub/login",
        payload: `_xsrf=${anonymous}`,
        headers: { ...form, "user-agent": agent, cookie: `_xsrf=${anonymous}` },
      });
    assert.equal(await login("one"), "ok");
    assert.equal(await login("two"), "XSRF_MISMATCH");
    hub.clock.forward(3_601_000);
    assert.equal(await login("one"), "XSRF_MISMATCH");
  });
});
