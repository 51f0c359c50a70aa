import assert from "node:assert/strict";
import { after, before, beforeEach, describe, it } from "node:test";
import type { InjectOptions } from "fastify";
import { type TestApp, testApp } from "./fixtures/app.ts";
import { addSession, addToken, addUser } from "./fixtures/people.ts";

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
