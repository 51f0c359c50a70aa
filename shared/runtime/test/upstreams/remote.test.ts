import assert from "node:assert/strict";
import http, { type RequestListener } from "node:http";
import net from "node:net";
import { suite, type TestContext, test } from "node:test";
import type { Instance, ServiceName } from "@elara/contracts";
import { localUpstreams } from "../../src/http/local-upstreams.ts";
import { remoteUpstreams } from "../../src/http/remote-upstreams.ts";
import type { Upstreams } from "../../src/http/upstreams.ts";
import { silentLog } from "../fixtures/log.ts";

async function listening(t: TestContext, server: net.Server): Promise<string> {
  await new Promise<void>((ready) => server.listen(0, "127.0.0.1", ready));
  t.after(() => {
    if (server instanceof http.Server) server.closeAllConnections();
    server.close();
  });
  const address = server.address();
  return `http://127.0.0.1:${typeof address === "object" && address ? address.port : 0}`;
}

const serving = (t: TestContext, handler: RequestListener) => listening(t, http.createServer(handler));

/** An address at which nobody listens any more. */
async function deadAddress(t: TestContext): Promise<string> {
  const server = net.createServer();
  const address = await listening(t, server);
  await new Promise((done) => server.close(done));
  return address;
}

const row = (address: string, service: ServiceName = "web"): Instance => ({
  _id: address,
  rev: 1,
  v: 1,
  service,
  epoch: 1,
  address,
  beat: 1,
  startedAt: "",
  stoppedAt: "",
  version: "",
  digests: {},
  routesUpTo: "",
});

/** Upstreams over these addresses, behind a listener of their own. Each read of the rows finds those that `come`. */
async function over(
  t: TestContext,
  addresses: string[],
  come: () => string[] | Promise<string[]> = () => addresses,
): Promise<string> {
  let known = addresses;
  const liveness = {
    live: (service: ServiceName) => (service === "web" ? known.map((at) => row(at)) : []),
    async refresh() {
      known = await come();
    },
  };
  return door(t, remoteUpstreams({ liveness, log: silentLog }));
}

function door(t: TestContext, upstreams: Upstreams): Promise<string> {
  t.after(() => upstreams.close());
  return serving(t, (request, response) => upstreams.forward("web", request, response));
}

const named =
  (name: string): RequestListener =>
  (request, response) => {
    let body = "";
    request.on("data", (piece) => {
      body += piece;
    });
    request.on("end", () =>
      response.end(JSON.stringify({ name, body, url: request.url, headers: request.headers })),
    );
  };

suite("upstreams over the network", () => {
  test("instances take turns", async (t) => {
    const origin = await over(t, [await serving(t, named("a")), await serving(t, named("b"))]);
    const names: string[] = [];
    for (let i = 0; i < 4; i++) names.push(JSON.parse(await (await fetch(origin)).text()).name);
    assert.deepEqual(names.toSorted(), ["a", "a", "b", "b"]);
  });

  test("a refused connection goes to the next, with its body, every time", async (t) => {
    const origin = await over(t, [await deadAddress(t), await serving(t, named("b")), await deadAddress(t)]);
    for (let i = 0; i < 6; i++) {
      const answer = await fetch(`${origin}/hub/login?x=%2F`, { method: "POST", body: `name=ada${i}` });
      const { name, body, url } = JSON.parse(await answer.text());
      assert.deepEqual([name, body, url], ["b", `name=ada${i}`, "/hub/login?x=%2F"]);
    }
  });

  for (const [what, addresses] of [
    ["nobody lives", async () => []],
    ["all refuse", async (t: TestContext) => [await deadAddress(t), await deadAddress(t)]],
    ["those that live have no listener", async () => [""]],
  ] as const)
    test(`${what}: 503 with Retry-After, a page or JSON`, async (t) => {
      const origin = await over(t, [...(await addresses(t))]);
      const page = await fetch(`${origin}/hub/home`, { headers: { accept: "text/html" } });
      assert.equal(page.status, 503);
      assert.ok(Number(page.headers.get("retry-after")) > 0);
      assert.match(page.headers.get("content-type") ?? "", /^text\/html/);
      assert.match(await page.text(), /partly down.*PROXY_NO_UPSTREAM/s);
      const json = await fetch(`${origin}/hub/api/user`);
      const { status, code } = JSON.parse(await json.text());
      assert.deepEqual([json.status, status, code], [503, 503, "PROXY_NO_UPSTREAM"]);
    });

  for (const [what, known] of [
    ["nobody is known yet", async () => []],
    ["those that are known are gone", async (t: TestContext) => [await deadAddress(t)]],
  ] as const)
    test(`${what}: who has just come is found by those who ask`, async (t) => {
      const newcomer = await serving(t, named("new"));
      const before = await known(t);
      const origin = await over(t, [...before], () => [...before, newcomer]);
      const answer = await fetch(origin, { method: "POST", body: "once" });
      const { name, body } = JSON.parse(await answer.text());
      assert.deepEqual([answer.status, name, body], [200, "new", "once"]);
    });

  test("while nobody lives, many who ask make one read of the rows", async (t) => {
    let reads = 0;
    const origin = await over(t, [], async () => {
      reads++;
      return [];
    });
    const answers = await Promise.all(Array.from({ length: 20 }, () => fetch(origin)));
    assert.ok(answers.every(({ status }) => status === 503));
    assert.ok(reads < 5, `${reads} reads`);
  });

  for (const [what, come] of [
    ["fail", () => Promise.reject(new Error("away"))],
    ["hang", () => new Promise<never>(() => {})],
  ] as const)
    test(`rows whose reads ${what} keep nobody waiting`, async (t) => {
      const answer = await fetch(await over(t, [], come));
      assert.equal(answer.status, 503);
    });

  test("who the client is is said once, and kept when the proxy has said it", async (t) => {
    const origin = await over(t, [await serving(t, named("a"))]);
    const fresh = JSON.parse(await (await fetch(origin)).text()).headers;
    assert.equal(fresh["x-forwarded-for"], "127.0.0.1");
    assert.equal(fresh.host, new URL(origin).host);
    const said = { "x-forwarded-for": "1.2.3.4", "x-forwarded-proto": "https" };
    const kept = JSON.parse(await (await fetch(origin, { headers: said })).text()).headers;
    assert.equal(kept["x-forwarded-for"], "1.2.3.4");
    assert.equal(kept["x-forwarded-proto"], "https");
  });

  test("server-sent events pass as they come", async (t) => {
    let send: (text: string) => void = () => {};
    const origin = await over(t, [
      await serving(t, (_request, response) => {
        response.writeHead(200, { "Content-Type": "text/event-stream" });
        response.flushHeaders();
        send = (text) => response.write(text);
      }),
    ]);
    const answer = await fetch(origin);
    const reader = answer.body?.getReader();
    for (const text of ["data: 1\n\n", "data: 2\n\n"]) {
      send(text);
      assert.equal(new TextDecoder().decode((await reader?.read())?.value), text);
    }
    await reader?.cancel();
  });
});

suite("upstreams in process", () => {
  test("a service that is not there: 503 with Retry-After", async (t) => {
    const origin = await door(t, localUpstreams());
    const answer = await fetch(`${origin}/hub/api/user`);
    assert.equal(answer.status, 503);
    assert.ok(answer.headers.get("retry-after"));
  });
});
