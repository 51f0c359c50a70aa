import assert from "node:assert/strict";
import { createServer, type RequestListener } from "node:http";
import { createServer as createSecureServer } from "node:https";
import type { AddressInfo, Server } from "node:net";
import { after, test } from "node:test";
import { groupsOf } from "../src/globus/groups.ts";
import { NoAnswer, providerClient } from "../src/provider-client.ts";
import { endless } from "./endless.ts";
import { selfSigned } from "./self-signed.ts";

let answer: RequestListener = (_, response) => response.end();
const handler: RequestListener = (request, response) => answer(request, response);
const up = <S extends Server>(server: S): Promise<S> =>
  new Promise((listening) => server.listen(0, "127.0.0.1", () => listening(server)));
const plain = await up(createServer(handler));
const secure = await up(createSecureServer(await selfSigned(), handler));
after(() => {
  for (const server of [plain, secure]) {
    server.closeAllConnections();
    server.close();
  }
});
const urlOf = (server: Server, scheme = "http"): string =>
  `${scheme}://127.0.0.1:${(server.address() as AddressInfo).port}`;
const url = urlOf(plain);
const client = await providerClient({ isTlsVerified: true, timeoutMs: 200 });

test("a redirect is an answer: no token goes where it points", async () => {
  answer = (_, response) => response.writeHead(302, { location: `${url}/elsewhere` }).end();
  assert.equal((await client.ask(url)).status, 302);
});

test("what is no JSON has no body, and nothing of it stands anywhere", async () => {
  answer = (_, response) => response.end("<h1>token-0815</h1>");
  const { status, body } = await client.ask(url);
  assert.deepEqual({ status, body }, { status: 200, body: undefined });
});

test("an answer without end is read up to a bound only", async () => {
  const flood = endless();
  answer = flood.listener;
  const patient = await providerClient({ isTlsVerified: true });
  await assert.rejects(patient.ask(url), { reason: "answer above 1 MiB" });
  await assert.rejects(patient.fetch(url), { code: "answer above 1 MiB" });
  assert.ok(flood.sent() < 32 * 1024 * 1024, `${flood.sent()} bytes were sent`);
});

test("no answer names the address without its query, and the reason", async () => {
  answer = () => {};
  const reasonOf = async (asked: string, by = client): Promise<string[]> => {
    const error = await by.ask(asked, { headers: { authorization: "token-0815" } }).then(
      () => assert.fail("it was answered"),
      (thrown: unknown) => thrown,
    );
    assert.ok(error instanceof NoAnswer);
    assert.equal(error.cause, undefined);
    return [error.address, error.reason];
  };
  assert.deepEqual(await reasonOf(`${url}/a?code=1`), [`${url}/a`, "timeout"]);
  answer = (request) => request.socket.destroy();
  assert.deepEqual(await reasonOf(`${url}/a`), [`${url}/a`, "UND_ERR_SOCKET"]);
  const tls = urlOf(secure, "https");
  assert.deepEqual(await reasonOf(tls), [tls, "DEPTH_ZERO_SELF_SIGNED_CERT"]);
});

test("a certificate nobody vouches for is taken only where verification is off, forms and JSON alike", async () => {
  const bodies: string[] = [];
  answer = (request, response) => {
    request.on("data", (part) => bodies.push(String(part)));
    request.on("end", () => response.end('{"a":1}'));
  };
  const open = await providerClient({ isTlsVerified: false });
  const tls = urlOf(secure, "https");
  assert.deepEqual((await open.ask(tls, { method: "POST", form: { a: "b c" } })).body, { a: 1 });
  assert.deepEqual((await open.ask(tls, { method: "POST", json: { a: 1 } })).status, 200);
  assert.deepEqual(bodies, ["a=b+c", '{"a":1}']);
  assert.equal((await open.fetch(tls)).status, 200);
});

test("groups: active memberships count, in any case of their UUID; invitations do not", async () => {
  const group = (id: string, ...states: string[]) => ({
    id,
    my_memberships: states.map((status) => ({ status })),
  });
  const groups = [
    group("A-1", "active"),
    group("b", "invited"),
    group("c", "pending", "active"),
    { id: "d" },
    {},
  ];
  answer = (_, response) => response.end(JSON.stringify(groups));
  const signal = AbortSignal.timeout(5000);
  assert.deepEqual(await groupsOf("token", url, client, signal), ["a-1", "c", "d"]);
  await assert.rejects(groupsOf(undefined, url, client, signal), { code: "GLOBUS_GROUPS_UNKNOWN" });
});
