import assert from "node:assert/strict";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { connect } from "node:net";
import { after, before, describe, it } from "node:test";
import { HubError, JUPYTERHUB_VERSION } from "@elara/contracts";
import { setDefaultAccess } from "../src/http/app.ts";
import { MAX_HEAD_BYTES } from "../src/http/upstreams-leg.ts";
import { type TestApp, testApp } from "./fixtures/app.ts";
import { testHub } from "./fixtures/hub.ts";

const anybody = { config: { access: { kind: "public" } } } as const;

describe("the app of a service", () => {
  let hub: TestApp;
  before(async () => {
    hub = await testApp();
    const { app } = hub;
    app.route({
      method: ["GET", "HEAD"],
      url: "/hub/health",
      config: { access: { kind: "public" } },
      handler: (_, reply) => reply.send(""),
    });
    app.get("/hub/api", anybody, async () => ({ version: JUPYTERHUB_VERSION }));
    app.get("/hub/api/users/:name", anybody, async () => ({}));
    app.delete("/hub/api/users/:name", anybody, async () => ({}));
    app.get("/hub/api/users/:name/servers/:server", anybody, async ({ params }) => params);
    app.get("/hub/api/boom", anybody, async () => {
      throw new Error("secret detail");
    });
    app.get("/hub/api/away", anybody, async () => {
      throw new HubError("BUS_AWAY", { detail: "nats gone" });
    });
    app.get("/hub/api/wrong", anybody, async () => {
      throw new HubError("SPAWN_OPTIONS_INVALID", { message: "Not this one.", field: "image" });
    });
    app.get("/hub/boom", anybody, async () => {
      throw new HubError("SPAWN_ENDED", { message: "It <b>ended</b>." });
    });
    app.get("/hub/*", anybody, async () => "page");
    app.post("/hub/api/echo", anybody, async ({ body }) => ({ body: body ?? null }));
    app.delete("/hub/api/echo", anybody, async ({ body }) => ({ body: body ?? null }));
    app.post("/hub/form", anybody, async ({ body }) => ({ body: body ?? null }));
    app.post(
      "/hub/api/form",
      { config: { access: { kind: "public" }, body: "form" } },
      async ({ body }) => body,
    );
    app.post(
      "/hub/api/raw",
      { config: { access: { kind: "public" }, body: "unread" } },
      async (request, reply) => {
        reply.hijack();
        request.raw.pipe(reply.raw);
      },
    );
    await app.ready();
  });
  after(() => hub.close());

  it("takes as large a head as the proxy passes, with what that writes into it", async () => {
    const own = await testApp();
    own.app.get("/hub/large", anybody, async () => "taken");
    try {
      const origin = await own.app.listen({ host: "127.0.0.1", port: 0 });
      const cookie = `a=${"b".repeat(MAX_HEAD_BYTES)}`;
      const answer = await fetch(`${origin}/hub/large`, { headers: { cookie } });
      assert.equal(`${answer.status} ${await answer.text()}`, "200 taken");
    } finally {
      await own.close();
    }
  });

  it("says its version and forbids framing on every answer", async () => {
    for (const url of ["/hub/api", "/hub/api/nothing", "/hub/api/boom", "/hub/health"]) {
      const { headers } = await hub.app.inject({ url, headers: { accept: "application/json" } });
      assert.equal(headers["x-jupyterhub-version"], JUPYTERHUB_VERSION, url);
      assert.match(
        String(headers["content-security-policy"]),
        /default-src 'none'.*frame-ancestors 'none'/,
        url,
      );
      assert.equal(headers["x-content-type-options"], "nosniff", url);
      assert.equal(headers["referrer-policy"], "no-referrer", url);
    }
  });

  it("answers HEAD and GET on the health path", async () => {
    for (const method of ["HEAD", "GET"] as const) {
      const { statusCode, body } = await hub.app.inject({ method, url: "/hub/health" });
      assert.deepEqual([statusCode, body], [200, ""]);
    }
  });

  it("tells JupyterHub's JSON and our code for every failure on the API, whatever the client accepts", async () => {
    const { statusCode, headers, body } = await hub.app.inject({
      url: "/hub/api/nothing",
      headers: { accept: "text/html" },
    });
    assert.equal(statusCode, 404);
    assert.equal(headers["content-type"], "application/json; charset=utf-8");
    assert.deepEqual(JSON.parse(body), { status: 404, message: "Not Found", code: "NOT_FOUND" });
  });

  it("names the field that is wrong", async () => {
    const { body } = await hub.app.inject({ url: "/hub/api/wrong" });
    assert.deepEqual(JSON.parse(body), {
      status: 400,
      message: "Not this one.",
      code: "SPAWN_OPTIONS_INVALID",
      field: "image",
    });
  });

  it("shows nothing of a fault, and logs it with the request id", async () => {
    const { statusCode, headers, body } = await hub.app.inject({ url: "/hub/api/boom" });
    assert.equal(statusCode, 500);
    assert.deepEqual(JSON.parse(body), { status: 500, message: "Internal Server Error", code: "INTERNAL" });
    const line = hub.lines.findLast((each) => each.msg === "request failed");
    assert.equal(line?.requestId, headers["x-request-id"]);
    assert.match(JSON.stringify(line?.err), /secret detail/);
  });

  it("says when to try again, and tells details to the log only", async () => {
    const { statusCode, headers, body } = await hub.app.inject({ url: "/hub/api/away" });
    assert.equal(statusCode, 503);
    assert.equal(headers["retry-after"], "2");
    assert.equal(JSON.parse(body).code, "BUS_AWAY");
    assert.ok(!body.includes("nats gone"));
    assert.ok(hub.lines.some((line) => line.code === "BUS_AWAY" && line.detail === "nats gone"));
  });

  it("shows browsers a page with the escaped message and the code, and others JSON", async () => {
    const page = await hub.app.inject({ url: "/hub/boom", headers: { accept: "text/html,*/*;q=0.8" } });
    assert.equal(page.statusCode, 500);
    assert.match(String(page.headers["content-type"]), /^text\/html/);
    assert.match(page.body, /It &lt;b&gt;ended&lt;\/b&gt;\./);
    assert.match(page.body, /SPAWN_ENDED/);
    const json = await hub.app.inject({ url: "/hub/boom", headers: { accept: "application/json" } });
    assert.equal(JSON.parse(json.body).code, "SPAWN_ENDED");
  });

  it("answers 405 with Allow where the path exists, 404 where it does not", async () => {
    const wrong = await hub.app.inject({ method: "PATCH", url: "/hub/api/users/ada?x=1" });
    assert.equal(wrong.statusCode, 405);
    assert.equal(wrong.headers.allow, "DELETE, GET");
    assert.equal(JSON.parse(wrong.body).code, "METHOD_NOT_ALLOWED");
    for (const url of ["/hub/api/nothing", "/elsewhere"])
      assert.equal((await hub.app.inject({ method: "PATCH", url })).statusCode, 404, url);
    assert.equal((await hub.app.inject({ method: "PUT", url: "/hub/some/page" })).statusCode, 405);
  });

  it("answers OPTIONS on any API path with 200 and nothing", async () => {
    for (const url of ["/hub/api/users/ada", "/hub/api/nothing"]) {
      const { statusCode, body } = await hub.app.inject({ method: "OPTIONS", url });
      assert.deepEqual([statusCode, body], [200, ""]);
    }
  });

  it("takes long names, empty ones, and refuses broken escapes with JSON", async () => {
    const name = "x".repeat(1000);
    assert.equal((await hub.app.inject({ url: `/hub/api/users/${name}` })).statusCode, 200);
    const empty = await hub.app.inject({ url: "/hub/api/users/ada/servers/" });
    assert.deepEqual(JSON.parse(empty.body), { name: "ada", server: "" });
    for (const url of ["/hub/api/users/%zz", `/hub/api/users/${"x".repeat(2000)}`]) {
      const { statusCode, body } = await hub.app.inject({ url });
      assert.ok(statusCode >= 400 && statusCode < 500, `${statusCode}`);
      assert.equal(JSON.parse(body).status, statusCode);
    }
  });

  describe("reading bodies", () => {
    const post = (
      url: string,
      payload: string | undefined,
      type?: string,
      method: "POST" | "DELETE" = "POST",
    ) =>
      hub.app.inject({
        method,
        url,
        ...(payload === undefined ? {} : { payload }),
        headers: type === undefined ? {} : { "content-type": type },
      });

    it("takes JSON on the API whatever the content type says, also with DELETE", async () => {
      for (const type of ["application/json", "application/x-www-form-urlencoded", "text/plain", undefined])
        assert.deepEqual(
          JSON.parse((await post("/hub/api/echo", '{"a":1}', type)).body),
          { body: { a: 1 } },
          type,
        );
      assert.deepEqual(JSON.parse((await post("/hub/api/echo", '{"a":1}', undefined, "DELETE")).body), {
        body: { a: 1 },
      });
    });

    it("takes an empty body for none", async () => {
      for (const payload of ["", undefined])
        for (const type of ["application/json", undefined])
          assert.deepEqual(JSON.parse((await post("/hub/api/echo", payload, type)).body), { body: null });
    });

    it("refuses what is no JSON, and keys that poison prototypes", async () => {
      for (const payload of ["{", "a=1", '{"__proto__":{"x":1}}']) {
        const { statusCode, body } = await post("/hub/api/echo", payload);
        assert.equal(statusCode, 400, payload);
        assert.deepEqual(JSON.parse(body), {
          status: 400,
          message: "Invalid JSON in body of request",
          code: "BODY_INVALID",
        });
      }
    });

    it("refuses more than a megabyte", async () => {
      const { statusCode, body } = await post("/hub/api/echo", `"${"x".repeat(1024 * 1024)}"`);
      assert.equal(statusCode, 413);
      assert.equal(JSON.parse(body).code, "BODY_TOO_LARGE");
    });

    it("reads forms on pages and where a route asks for it, repeated fields as lists", async () => {
      for (const url of ["/hub/form", "/hub/api/form"]) {
        const { body } = await post(url, "scopes=a&scopes=b&x=%C3%A4+1", "application/x-www-form-urlencoded");
        const read = JSON.parse(body);
        assert.deepEqual(read.body ?? read, { scopes: ["a", "b"], x: "ä 1" });
      }
    });

    it("leaves the body unread where a route passes it on", async () => {
      await hub.app.listen({ host: "127.0.0.1", port: 0 });
      const { port } = hub.app.server.address() as AddressInfo;
      const answer = await fetch(`http://127.0.0.1:${port}/hub/api/raw`, {
        method: "POST",
        body: '{"a": 1}',
      });
      assert.equal(await answer.text(), '{"a": 1}');
    });
  });
});

describe("registering a route", () => {
  it("throws at once when it declares no access", async (t) => {
    const { app, close } = await testApp();
    t.after(close);
    assert.throws(() => app.get("/hub/open", async () => "x"), /web: route \/hub\/open declares no access/);
  });

  it("takes the access set for its scope, which does not leak to its neighbours", async (t) => {
    const { app, close } = await testApp();
    t.after(close);
    let refused: unknown;
    void app.register(async (scope) => {
      setDefaultAccess(scope, { kind: "public" });
      scope.get("/hub/static/x", async () => "x");
    });
    void app.register(async (scope) => {
      try {
        scope.get("/hub/other", async () => "x");
      } catch (error) {
        refused = error;
      }
    });
    await app.ready();
    assert.equal((await app.inject({ url: "/hub/static/x" })).statusCode, 200);
    assert.match(String(refused), /declares no access/);
  });
});

describe("an app without a listener", () => {
  it("serves requests of another server, and sees the client's own address", async (t) => {
    const { app, close } = await testApp();
    t.after(close);
    app.get("/hub/who", anybody, async ({ ip, host, protocol }) => ({ ip, host, protocol }));
    await app.ready();
    const door = createServer((request, response) => app.routing(request, response)).listen(0, "127.0.0.1");
    t.after(() => door.close());
    await new Promise((resolve) => door.once("listening", resolve));
    const { port } = door.address() as AddressInfo;
    const answer = await fetch(`http://127.0.0.1:${port}/hub/who`, {
      headers: { "x-forwarded-for": "6.6.6.6", "x-forwarded-host": "evil", "x-forwarded-proto": "https" },
    });
    assert.deepEqual(await answer.json(), { ip: "127.0.0.1", host: `127.0.0.1:${port}`, protocol: "http" });
  });
});

describe("whom forwarded headers are believed", () => {
  const forwarded = {
    "x-forwarded-for": "6.6.6.6, 5.5.5.5",
    "x-forwarded-host": "hub.example",
    "x-forwarded-proto": "https",
  };
  for (const [behindProxy, expected] of [
    [false, { ip: "127.0.0.1", protocol: "http" }],
    [true, { ip: "5.5.5.5", protocol: "https" }],
  ] as const) {
    it(`in process, ${behindProxy ? "behind a proxy: its last entry" : "in front: nothing"}`, async (t) => {
      const hub = testHub();
      const { app, close } = await testApp({ network: { ...hub.network, behindProxy } });
      t.after(close);
      app.get("/hub/who", anybody, async ({ ip, protocol }) => ({ ip, protocol }));
      const answer = await app.inject({ url: "/hub/who", headers: forwarded, remoteAddress: "127.0.0.1" });
      assert.deepEqual(JSON.parse(answer.body), expected);
    });
  }

  for (const [behindProxy, expected] of [
    [false, "5.5.5.5"],
    [true, "6.6.6.6"],
  ] as const) {
    it(`with a listener of its own: the hub's proxy${behindProxy ? ", and the one in front of it" : ""}`, async (t) => {
      const hub = testHub();
      const { app, close } = await testApp({ network: { ...hub.network, behindProxy } });
      t.after(close);
      app.get("/hub/who", anybody, async ({ ip }) => ip);
      const address = await app.listen({ host: "127.0.0.1", port: 0 });
      assert.equal(await (await fetch(`${address}/hub/who`, { headers: forwarded })).text(), expected);
    });
  }
});

describe("a request that is no HTTP", () => {
  it("is refused without harm", async (t) => {
    const { app, close } = await testApp();
    t.after(close);
    const address = new URL(await app.listen({ host: "127.0.0.1", port: 0 }));
    const socket = connect(Number(address.port), address.hostname);
    const received = new Promise<string>((resolve) => socket.once("data", (data) => resolve(String(data))));
    socket.write("NOT HTTP AT ALL\r\n\r\n");
    assert.match(await received, /^HTTP\/1\.1 400/);
    socket.destroy();
  });
});
