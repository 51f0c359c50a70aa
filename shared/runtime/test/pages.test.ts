import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { renderPage } from "../src/pages/render.ts";
import { type TestApp, testApp } from "./fixtures/app.ts";
import { addSession, addUser } from "./fixtures/people.ts";

describe("a page", () => {
  let templates: string;
  let hub: TestApp;
  before(async () => {
    templates = await mkdtemp(join(tmpdir(), "elara-pages-"));
    await writeFile(
      join(templates, "hello.liquid"),
      `{% layout "layout" %}{% block content %}<p id="x">{{ word }}</p><input name="_xsrf" value="{{ xsrf }}">{% endblock %}
       {% block scripts %}<script nonce="{{ nonce }}" src="{{ hub.static }}x.js"></script>{% endblock %}`,
    );
    hub = await testApp({ baseUrl: "/jhub/", trial: true }, templates);
    const { app, store } = hub;
    await addUser(store, "ada");
    await addUser(store, "root", { admin: true });
    for (const name of ["ada", "root"]) await addSession(store, `${name}-login`, name);
    for (const [url, kind] of [
      ["/jhub/hub/home", "page"],
      ["/jhub/hub/open", "public"],
    ] as const)
      app.get<{ Querystring: { word?: string } }>(url, { config: { access: { kind } } }, (request, reply) =>
        renderPage(reply, "hello", { title: "Hello", page: "home", word: request.query.word ?? "" }),
      );
    app.get("/jhub/hub/broken", { config: { access: { kind: "public" } } }, (_, reply) =>
      renderPage(reply, "nowhere", { title: "x" }),
    );
    await app.ready();
  });
  after(async () => {
    await hub.close();
    await rm(templates, { recursive: true });
  });

  const open = (url: string, login?: string, more: Record<string, string> = {}) =>
    hub.app.inject({
      url,
      headers: {
        accept: "text/html",
        ...(login === undefined ? {} : { cookie: `jupyterhub-hub-login=${login}-login` }),
        ...more,
      },
    });

  it("escapes everything it is given", async () => {
    const evil = `"><script>alert('1')</script>`;
    const { body } = await open(`/jhub/hub/home?word=${encodeURIComponent(evil)}`, "ada");
    assert.match(body, /<p id="x">&#34;&gt;&lt;script&gt;alert\(&#39;1&#39;\)&lt;\/script&gt;<\/p>/);
  });

  it("runs only scripts and styles with this answer's nonce", async () => {
    const [one, two] = [await open("/jhub/hub/home", "ada"), await open("/jhub/hub/home", "ada")];
    const policy = String(one.headers["content-security-policy"]);
    const nonce = /script-src 'nonce-([^']+)'/.exec(policy)?.[1] ?? "";
    assert.match(policy, /^default-src 'none'; .*base-uri 'none'; frame-ancestors 'none'$/);
    assert.ok(!policy.includes("unsafe"));
    assert.ok(one.body.includes(`<script nonce="${nonce}" src="/jhub/hub/static/x.js">`));
    assert.ok(!/ style="| on[a-z]+="|<style|javascript:/.test(one.body), "nothing inline");
    assert.notEqual(policy, two.headers["content-security-policy"]);
    assert.equal(one.headers["cache-control"], "no-store");
  });

  it("shows who is logged in and where they may go", async () => {
    const ada = (await open("/jhub/hub/home", "ada")).body;
    assert.match(ada, /class="user-name"[^>]*>ada</);
    for (const place of ["home", "token", "logout"])
      assert.ok(ada.includes(`href="/jhub/hub/${place}"`), place);
    assert.ok(!ada.includes("/jhub/hub/admin"));
    assert.ok((await open("/jhub/hub/home", "root")).body.includes('href="/jhub/hub/admin"'));
    const nobody = (await open("/jhub/hub/open")).body;
    assert.ok(!nobody.includes("user-name") && !nobody.includes("logout"));
  });

  it("knows a logged-in visitor on public pages too, and leaves their token in force", async () => {
    const home = await open("/jhub/hub/home", "ada");
    const token = /name="_xsrf" value="([^"]+)"/.exec(home.body)?.[1];
    const { body, headers } = await open("/jhub/hub/open", undefined, {
      cookie: `jupyterhub-hub-login=ada-login; _xsrf=${token}`,
    });
    assert.match(body, /class="user-name"[^>]*>ada</);
    assert.equal(headers["set-cookie"], undefined);
  });

  it("says trial mode only in trial mode", async (t) => {
    assert.match((await open("/jhub/hub/open")).body, /Trial mode\./);
    const plain = await testApp({}, templates);
    t.after(plain.close);
    plain.app.get("/hub/open", { config: { access: { kind: "public" } } }, (_, reply) =>
      renderPage(reply, "hello", { title: "x" }),
    );
    assert.ok(!(await plain.app.inject({ url: "/hub/open" })).body.includes("Trial mode"));
  });

  it("answers a missing page in the same clothes, also when the address itself is broken", async () => {
    const missing = await open("/jhub/hub/nowhere", "ada");
    assert.equal(missing.statusCode, 404);
    assert.match(missing.body, /class="user-name"[^>]*>ada</);
    const broken = await open("/jhub/hub/%zz", "ada");
    assert.equal(broken.statusCode, 400);
    for (const { body, headers } of [missing, broken]) {
      assert.match(body, /<article class="card narrow error-page">/);
      assert.ok(body.includes(String(headers["x-request-id"])));
      assert.match(String(headers["content-security-policy"]), /script-src 'nonce-/);
      assert.equal(headers["set-cookie"], undefined);
    }
  });

  it("shows nothing of a fault in a template", async () => {
    const { statusCode, body } = await open("/jhub/hub/broken");
    assert.equal(statusCode, 500);
    assert.match(body, /Internal Server Error/);
    assert.ok(!body.includes("nowhere"));
  });
});
