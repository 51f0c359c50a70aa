import assert from "node:assert/strict";
import http from "node:http";
import { suite, test } from "node:test";
import { HubError } from "@elara/contracts";
import { refusePublicAddress } from "../src/index.ts";
import { freePort, startProxy } from "./fixture/hub.ts";
import { rawExchange } from "./fixture/raw.ts";

const ask = (url: string, init: RequestInit = {}) => fetch(url, { redirect: "manual", ...init });

suite("paths of the hub", () => {
  for (const [path, service] of [
    ["/hub", "web"],
    ["/hub/", "web"],
    ["/hub/home", "web"],
    ["/hub/login", "auth"],
    ["/hub/login?next=%2Fhub%2F", "auth"],
    ["/hub/loginx", "web"],
    ["/hub/logout", "auth"],
    ["/hub/oauth_login/github", "auth"],
    ["/hub/oauth_callback", "auth"],
    ["/hub/token", "auth"],
    ["/hub/api/oauth2/authorize?client_id=x", "auth"],
    ["/hub/api/authorizations/token/x", "auth"],
    ["/hub/api/user", "web"],
    ["/hub/api/users/a%2Fb/tokens", "web"],
    ["/hub/user/ada/lab", "web"],
  ] as const)
    test(`${path} → ${service}, with and without a base URL`, async (t) => {
      for (const baseUrl of ["/", "/jupyter/"]) {
        const { origin } = await startProxy(t, { baseUrl });
        const url = baseUrl.slice(0, -1) + path;
        const answer = JSON.parse(await (await ask(origin + url)).text());
        assert.equal(answer.service, service);
        assert.equal(answer.url, url);
      }
    });

  test("the body arrives unread, whatever its type, also one that waits for 100-continue", async (t) => {
    const { origin, port } = await startProxy(t);
    const answer = await ask(`${origin}/hub/login`, { method: "POST", body: "username=ada&password=x" });
    assert.equal(JSON.parse(await answer.text()).body, "username=ada&password=x");
    const raw = await rawExchange(
      port,
      "POST /hub/login HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 5\r\nConnection: close\r\n\r\nhello",
    );
    assert.match(raw, /^HTTP\/1\.1 100 Continue\r\n\r\nHTTP\/1\.1 200 OK/);
    assert.match(raw, /"body":"hello"/);
  });

  test("an upgrade is answered as a plain request", async (t) => {
    const { port } = await startProxy(t);
    const answer = await rawExchange(
      port,
      "GET /hub/api/user HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n",
    );
    assert.match(answer, /^HTTP\/1\.1 200 OK\r\n/);
    assert.match(answer, /"service":"web"/);
  });

  test("services are told who the client is, never what it claims", async (t) => {
    const claims = {
      "X-Forwarded-For": "6.6.6.6",
      "X-Forwarded-Proto": "https",
      "X-Forwarded-Host": "evil",
      "X-Real-IP": "6.6.6.6",
      Forwarded: "for=6.6.6.6",
    };
    const direct = await startProxy(t);
    const plain = JSON.parse(
      await (await ask(`${direct.origin}/hub/home`, { headers: claims })).text(),
    ).headers;
    assert.equal(plain["x-forwarded-for"], "127.0.0.1");
    assert.equal(plain["x-forwarded-proto"], "http");
    assert.equal(plain["x-forwarded-host"], new URL(direct.origin).host);
    assert.equal(plain["x-real-ip"], undefined);
    assert.equal(plain.forwarded, undefined);

    const behind = await startProxy(t, { behindProxy: true });
    const headers = { ...claims, "X-Forwarded-For": "6.6.6.6, 1.2.3.4", "X-Forwarded-Host": "hub.example" };
    const trusted = JSON.parse(await (await ask(`${behind.origin}/hub/home`, { headers })).text()).headers;
    assert.equal(trusted["x-forwarded-for"], "1.2.3.4");
    assert.equal(trusted["x-forwarded-proto"], "https");
    assert.equal(trusted["x-forwarded-host"], "hub.example");
    assert.equal(trusted["x-forwarded-port"], "443");
  });

  test("health as configurable-http-proxy tells it", async (t) => {
    const { origin } = await startProxy(t, { baseUrl: "/jupyter/" });
    const answer = await ask(`${origin}/_chp_healthz`);
    assert.equal(answer.status, 200);
    assert.deepEqual(await answer.json(), { status: "OK" });
  });
});

suite("paths without a route", () => {
  for (const [path, to] of [
    ["/", "/hub/"],
    ["/user/ada/lab?x=1&y=%2F", "/hub/user/ada/lab?x=1&y=%2F"],
    ["/user/a%40b/a%2F..%2Fb//c;d", "/hub/user/a%40b/a%2F..%2Fb//c;d"],
    ["/hubcap", "/hub/hubcap"],
    ["/favicon.ico", "/hub/favicon.ico"],
    ["//evil.example/x", "/hub//evil.example/x"],
  ] as const)
    test(`GET ${path} → ${to}`, async (t) => {
      const { port } = await startProxy(t);
      const answer = await rawExchange(port, `GET ${path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n`);
      assert.match(answer, /^HTTP\/1\.1 302 Found\r\n/);
      assert.equal(/\r\nLocation: (.*)\r\n/.exec(answer)?.[1], to);
    });

  test("with a base URL and a public URL", async (t) => {
    const { origin } = await startProxy(t, { baseUrl: "/jupyter/", publicUrl: "https://hub.example" });
    for (const [path, to] of [
      ["/", "https://hub.example/jupyter/hub/"],
      ["/jupyter/", "https://hub.example/jupyter/hub/"],
      ["/jupyter/user/ada/", "https://hub.example/jupyter/hub/user/ada/"],
    ] as const)
      assert.equal((await ask(origin + path)).headers.get("location"), to);
  });

  for (const method of ["POST", "PUT", "DELETE", "HEAD", "PROPFIND"])
    test(`${method} is answered by web as at the hub's path`, async (t) => {
      const { origin } = await startProxy(t);
      const seen = await new Promise<{ status: number; body: string }>((resolve) =>
        http
          .request(`${origin}/user/ada/api/contents/x?y=1`, { method }, (answer) => {
            let body = "";
            answer.on("data", (piece) => {
              body += piece;
            });
            answer.on("end", () => resolve({ status: answer.statusCode ?? 0, body }));
          })
          .end(),
      );
      // The echoing service does not know WebDAV; real web answers 405.
      if (method === "PROPFIND") assert.equal(seen.status, 404);
      else if (method === "HEAD") assert.equal(seen.status, 200);
      else assert.deepEqual(JSON.parse(seen.body).url, "/hub/user/ada/api/contents/x?y=1");
    });
});

suite("the internal listener", () => {
  test("serves the REST API with the base URL, and nothing else", async (t) => {
    const { internal } = await startProxy(t, { baseUrl: "/jupyter/" });
    for (const [path, status] of [
      ["/jupyter/hub/api", 200],
      ["/jupyter/hub/api/user?x=1", 200],
      ["/jupyter/hub/api/oauth2/token", 200],
      ["/jupyter/hub/apix", 404],
      ["/jupyter/hub/login", 404],
      ["/jupyter/hub/home", 404],
      ["/jupyter/user/ada/", 404],
      ["/jupyter/", 404],
      ["/hub/api/user", 404],
      ["/_chp_healthz", 404],
    ] as const)
      assert.equal((await ask(internal + path)).status, status, path);
    const told = JSON.parse(await (await ask(`${internal}/jupyter/hub/api/oauth2/token`)).text());
    assert.equal(told.service, "auth");
  });

  test("takes no upgrade", async (t) => {
    const { internal } = await startProxy(t);
    const answer = await rawExchange(
      Number(new URL(internal).port),
      "GET /hub/api/x HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n",
    );
    assert.match(answer, /^HTTP\/1\.1 404 /);
  });
});

suite("listening", () => {
  for (const which of ["port", "internalPort"] as const)
    test(`${which} taken: told with address and key, and nothing stays open`, async (t) => {
      const holder = http.createServer();
      await new Promise<void>((ready) => holder.listen(0, "127.0.0.1", ready));
      t.after(() => holder.close());
      const address = holder.address();
      const taken = typeof address === "object" && address ? address.port : 0;
      const other = await freePort();
      const ports =
        which === "port" ? { port: taken, internalPort: other } : { port: other, internalPort: taken };
      await assert.rejects(startProxy(t, ports), (error) => {
        assert.ok(error instanceof HubError);
        assert.equal(error.code, "PORT_TAKEN");
        assert.match(error.operator, new RegExp(`127\\.0\\.0\\.1:${taken}.*network\\.${which}`));
        return true;
      });
      const again = http.createServer();
      await new Promise<void>((ready, failed) =>
        again.once("error", failed).listen(other, "127.0.0.1", ready),
      );
      again.close();
    });

  test("a public address is refused before anything listens", async (t) => {
    await assert.rejects(startProxy(t, { host: "0.0.0.0" }), { code: "CONFIG_ADDRESS_PUBLIC" });
  });

  test("a public address needs TLS, or to be asked for", () => {
    const network = { host: "0.0.0.0", behindProxy: false, insecure: false };
    assert.throws(() => refusePublicAddress(network, false), { code: "CONFIG_ADDRESS_PUBLIC" });
    refusePublicAddress(network, true);
    refusePublicAddress({ ...network, behindProxy: true }, false);
    refusePublicAddress({ ...network, insecure: true }, false);
    for (const host of ["127.0.0.1", "127.3.2.1", "::1", "localhost"])
      refusePublicAddress({ ...network, host }, false);
    for (const host of ["127.0.0.1.example.org", "10.0.0.1", "::", "hub.example"])
      assert.throws(() => refusePublicAddress({ ...network, host }, false), {
        code: "CONFIG_ADDRESS_PUBLIC",
      });
  });
});
