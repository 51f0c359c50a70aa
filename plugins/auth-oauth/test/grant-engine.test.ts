import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { createServer, type RequestListener } from "node:http";
import { createServer as createSecureServer } from "node:https";
import { createRequire } from "node:module";
import type { AddressInfo, Server } from "node:net";
import { after, describe, test } from "node:test";
import { inspect } from "node:util";
import { gzipSync } from "node:zlib";
import type { EngineError } from "../src/engine.ts";
import { grantEngine } from "../src/grant-engine.ts";
import { endless } from "./endless.ts";
import { selfSigned } from "./self-signed.ts";

const CALLBACK = "https://hub.example.org/hub/oauth_callback/test";
const requests: URLSearchParams[] = [];
let answer: RequestListener = (_, response) => response.end();

/** A token endpoint that answers as each test wants. */
const handler: RequestListener = (request, response) => {
  let body = "";
  request.on("data", (part) => {
    body += part;
  });
  request.on("end", () => {
    requests.push(new URLSearchParams(body));
    answer(request, response);
  });
};
const up = <S extends Server>(server: S): Promise<S> =>
  new Promise((listening) => server.listen(0, "127.0.0.1", () => listening(server)));
const plain = await up(createServer(handler));
const secure = await up(createSecureServer(await selfSigned(), handler));
after(() => {
  plain.closeAllConnections();
  plain.close();
  secure.closeAllConnections();
  secure.close();
});
const portOf = (server: { address(): unknown }): number => (server.address() as AddressInfo).port;

const engine = (given: { tokenUrl?: string; isTlsVerified?: boolean; timeoutMs?: number } = {}) =>
  grantEngine({
    authorizeUrl: "https://provider.example/authorize",
    tokenUrl: `http://127.0.0.1:${portOf(plain)}/token`,
    clientId: "the-hub",
    clientSecret: "kept secret",
    scope: ["openid", "urn:x:all"],
    parameters: { access_type: "offline" },
    isTlsVerified: true,
    ...given,
  });
const json =
  (body: unknown, status = 200): RequestListener =>
  (_, response) => {
    response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
  };
/** Exchanges a code in an attempt of its own; `input` is what else the callback has. */
async function exchange(input: Record<string, string> = {}, by = engine()) {
  const { attempt } = await by.begin(CALLBACK);
  const callback = { code: "the-code-itself", state: attempt.state, ...input };
  return { attempt, answer: await by.exchange({ input: callback, attempt, callbackUrl: CALLBACK }) };
}
const faultOf = async (work: Promise<unknown>): Promise<string> => {
  const error = (await work.then(
    () => assert.fail("no error"),
    (thrown: unknown) => thrown,
  )) as EngineError;
  for (const secret of ["the-code-itself", "kept secret", "token-0815"])
    assert.ok(!inspect(error, { depth: 9 }).includes(secret), `${secret} in the error`);
  return error.told ? `${error.fault} ${error.told}` : error.fault;
};

describe("grant's core, imported past its handlers", () => {
  test("is the version this was written for", () => {
    const file = createRequire(import.meta.url).resolve("grant/package.json");
    assert.equal(JSON.parse(readFileSync(file, "utf8")).version, "5.4.24");
  });

  test("finds nothing that would log its requests, as it does with DEBUG set", () => {
    const { resolve } = createRequire(createRequire(import.meta.url).resolve("grant/package.json"));
    assert.throws(() => resolve("request-logs"), { code: "MODULE_NOT_FOUND" });
  });

  test("asks with state, nonce, PKCE and blanks between scopes; each time anew", async () => {
    const { url, attempt } = await engine().begin(CALLBACK, { prompt: "login" });
    const { searchParams, origin, pathname } = new URL(url);
    assert.equal(`${origin}${pathname}`, "https://provider.example/authorize");
    assert.deepEqual(Object.fromEntries(searchParams), {
      client_id: "the-hub",
      response_type: "code",
      redirect_uri: CALLBACK,
      scope: "openid urn:x:all",
      state: attempt.state,
      nonce: attempt.nonce,
      code_challenge_method: "S256",
      code_challenge: createHash("sha256").update(attempt.verifier).digest("base64url"),
      access_type: "offline",
      prompt: "login",
    });
    const { attempt: other } = await engine().begin(CALLBACK);
    for (const key of ["state", "nonce", "verifier"] as const) {
      assert.ok(attempt[key].length >= 40, key);
      assert.notEqual(attempt[key], other[key], key);
    }
  });

  test("exchanges the code with the verifier, and hands the whole answer over", async () => {
    answer = json({ access_token: "token-0815", other_tokens: [{ access_token: "x" }], scope: "openid" });
    const { answer: tokens, attempt } = await exchange();
    assert.deepEqual(tokens, {
      access_token: "token-0815",
      other_tokens: [{ access_token: "x" }],
      scope: "openid",
    });
    assert.deepEqual(Object.fromEntries(requests.at(-1) ?? []), {
      grant_type: "authorization_code",
      code: "the-code-itself",
      client_id: "the-hub",
      client_secret: "kept secret",
      redirect_uri: CALLBACK,
      code_verifier: attempt.verifier,
    });
  });

  test("two attempts at once both end", async () => {
    answer = json({ access_token: "token-0815" });
    const one = engine();
    const both = await Promise.all([exchange({}, one), exchange({}, one)]);
    assert.deepEqual(
      both.map(({ answer: tokens }) => tokens.access_token),
      ["token-0815", "token-0815"],
    );
  });
});

describe("no tokens come of", () => {
  test("another state, none, or one of no attempt: the provider is not even asked", async () => {
    const before = requests.length;
    assert.equal(await faultOf(exchange({ state: "of another" })), "STATE_INVALID");
    assert.equal(await faultOf(exchange({ state: "" })), "STATE_INVALID");
    const nothing = { state: "", nonce: "", verifier: "" };
    const input = { code: "the-code-itself", state: "" };
    assert.equal(
      await faultOf(engine().exchange({ input, attempt: nothing, callbackUrl: CALLBACK })),
      "STATE_INVALID",
    );
    assert.equal(requests.length, before);
  });

  test("tokens in the callback itself", async () => {
    const before = requests.length;
    const planted = { code: "", access_token: "token-0815", id_token: "a.b.c" };
    assert.equal(await faultOf(exchange(planted)), "CODE_MISSING");
    assert.equal(requests.length, before);
  });

  test("an error in the callback, also beside a code", async () => {
    assert.equal(await faultOf(exchange({ error: "access_denied" })), "DENIED access_denied");
    assert.equal(await faultOf(exchange({ error: "server_error" })), "PROVIDER_ERROR server_error");
    assert.equal(
      await faultOf(exchange({ error: "temporarily_unavailable" })),
      "PROVIDER_ERROR temporarily_unavailable",
    );
    for (const told of ["x", "invalid_client", "invalid_scope", "constructor"])
      assert.equal(
        await faultOf(exchange({ error: told })),
        told === "x" ? "CALLBACK_ERROR" : `CALLBACK_ERROR ${told}`,
      );
    assert.equal(await faultOf(exchange({ error: "<b>the-code-itself" })), "CALLBACK_ERROR");
  });

  const answers: [string, RequestListener, string][] = [
    [
      "an error with status 200",
      json({ error: "bad_verification_code" }),
      "CODE_REFUSED bad_verification_code",
    ],
    [
      "an error beside tokens",
      json({ error: "incorrect_client_credentials", access_token: "token-0815" }),
      "CLIENT_REFUSED incorrect_client_credentials",
    ],
    ["a refused code", json({ error: "invalid_grant" }, 401), "CODE_REFUSED invalid_grant"],
    ["a refused client", json({ error: "invalid_client" }, 401), "CLIENT_REFUSED invalid_client"],
    ["an error that repeats the code", json({ error: "no the-code-itself" }, 400), "PROVIDER_ERROR"],
    ["no token", json({ token_type: "bearer" }), "PROVIDER_ERROR"],
    ["a token that is no text", json({ access_token: { token: 1 } }), "PROVIDER_ERROR"],
    ["nothing", json(null), "PROVIDER_ERROR"],
    ["a page", (_, response) => response.end("<h1>token-0815</h1>"), "PROVIDER_ERROR"],
    [
      "a broken provider",
      (_, response) => response.writeHead(502).end("<h1>502 the-code-itself</h1>"),
      "PROVIDER_ERROR",
    ],
    [
      "a redirect",
      (_, response) => response.writeHead(307, { location: "https://elsewhere.example/" }).end(),
      "PROVIDER_ERROR",
    ],
    ["a connection that breaks", (request) => request.socket.destroy(), "UNREACHABLE socket hang up"],
  ];
  for (const [what, how, expected] of answers)
    test(what, async () => {
      answer = how;
      assert.equal(await faultOf(exchange()), expected);
    });

  test("an answer above 1 MiB, of which no more is read", async () => {
    const flood = endless();
    answer = flood.listener;
    assert.equal(await faultOf(exchange()), "UNREACHABLE answer above 1 MiB");
    assert.ok(flood.sent() < 32 * 1024 * 1024, `${flood.sent()} bytes were sent`);
    const tokenUrl = `https://127.0.0.1:${portOf(secure)}/token`;
    assert.equal(
      await faultOf(exchange({}, engine({ tokenUrl, isTlsVerified: false }))),
      "UNREACHABLE answer above 1 MiB",
    );
  });

  test("a compressed answer, which nobody asked for: it may be a thousand times as long", async () => {
    let wanted: unknown;
    answer = ({ headers }, response) => {
      wanted = headers["accept-encoding"];
      const body = gzipSync(JSON.stringify({ access_token: "token-0815", more: " ".repeat(8_000_000) }));
      response.writeHead(200, { "content-encoding": "gzip", "content-type": "application/json" }).end(body);
    };
    assert.equal(await faultOf(exchange()), "PROVIDER_ERROR compressed answer");
    assert.equal(wanted, "identity");
  });

  test("no id_token is looked at: the judge does, and what it refuses can be given back", async () => {
    for (const id_token of [`e30.${btoa('{"aud":"other"}')}.x`, "x"]) {
      answer = json({ access_token: "token-0815", id_token });
      assert.deepEqual((await exchange()).answer, { access_token: "token-0815", id_token });
    }
  });

  test("nobody there, and nobody who answers", async () => {
    const closed = engine({ tokenUrl: "http://127.0.0.1:1/token" });
    assert.equal(await faultOf(exchange({}, closed)), "UNREACHABLE ECONNREFUSED");
    const { promise: ended, resolve } = Promise.withResolvers<void>();
    // A byte now and then keeps a connection awake, but not an exchange.
    answer = (request, response) => {
      const drip = setInterval(() => response.write(" "), 20);
      request.socket.once("close", () => {
        clearInterval(drip);
        resolve();
      });
    };
    assert.equal(await faultOf(exchange({}, engine({ timeoutMs: 200 }))), "UNREACHABLE timeout");
    await ended;
  });

  test("a certificate that nobody vouches for, unless verification is off", async () => {
    answer = json({ access_token: "token-0815" });
    const tokenUrl = `https://127.0.0.1:${portOf(secure)}/token`;
    assert.equal(await faultOf(exchange({}, engine({ tokenUrl }))), "UNREACHABLE certificate");
    const { answer: tokens } = await exchange({}, engine({ tokenUrl, isTlsVerified: false }));
    assert.equal(tokens.access_token, "token-0815");
  });
});
