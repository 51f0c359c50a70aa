import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import type { InjectOptions } from "fastify";
import { requireAnyOf } from "../src/http/guard.ts";
import { type TestApp, testApp } from "./fixtures/app.ts";
import { addSession, addToken, addUser } from "./fixtures/people.ts";

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
