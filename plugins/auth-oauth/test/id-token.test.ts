import assert from "node:assert/strict";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { after, describe, test } from "node:test";
import { inspect } from "node:util";
import { type CryptoKey, exportJWK, exportSPKI, generateKeyPair, type JWTPayload, SignJWT } from "jose";
import { errors, faults } from "../src/globus/errors.ts";
import { idTokenJudge } from "../src/id-token.ts";
import { providerClient } from "../src/provider-client.ts";

const ISSUER = "https://provider.example";
const CLIENT = "the-hub";
const NOW = Date.UTC(2026, 10, 23);
const seconds = NOW / 1000;

const { privateKey, publicKey } = await generateKeyPair("RS512", { extractable: true });
const other = await generateKeyPair("RS512", { extractable: true });
const published = { keys: [{ ...(await exportJWK(publicKey)), kid: "one", alg: "RS512", use: "sig" }] };
let fetches = 0;
let keySet: { status: number; body: unknown } = { status: 200, body: published };
const server: Server = await new Promise((up) => {
  const keys = createServer((_, response) => {
    fetches += 1;
    response
      .writeHead(keySet.status, { "content-type": "application/json" })
      .end(JSON.stringify(keySet.body));
  });
  keys.listen(0, "127.0.0.1", () => up(keys));
});
after(() => {
  server.closeAllConnections();
  server.close();
});
const jwksUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}/jwk.json`;
const client = await providerClient({ isTlsVerified: true });
const judge = (url = jwksUrl) =>
  idTokenJudge({ issuer: ISSUER, clientId: CLIENT, jwksUrl: url }, client, faults, () => NOW);

const good: JWTPayload = {
  iss: ISSUER,
  aud: CLIENT,
  sub: "ada",
  iat: seconds,
  exp: seconds + 3600,
  nonce: "nonce-4711",
};
const signed = (
  claims: JWTPayload,
  {
    key = privateKey,
    alg = "RS512",
    kid = "one",
  }: { key?: CryptoKey | Uint8Array; alg?: string; kid?: string } = {},
): Promise<string> => new SignJWT(claims).setProtectedHeader(kid ? { alg, kid } : { alg }).sign(key);
const without = (claim: string): JWTPayload =>
  Object.fromEntries(Object.entries(good).filter(([name]) => name !== claim));
const unsigned = (alg: string): string =>
  `${[{ alg }, good].map((part) => Buffer.from(JSON.stringify(part)).toString("base64url")).join(".")}.`;

const codeOf = async (token: unknown, by = judge()): Promise<string> => {
  const error = await by.claimsOf(token, "nonce-4711").then(
    () => assert.fail("it was believed"),
    (thrown: unknown) => thrown,
  );
  const shown = inspect(error, { depth: 9 });
  for (const secret of [String(token).split(".")[1], "nonce-4711"])
    assert.ok(!secret || secret.length < 5 || !shown.includes(secret), `${secret} stands in the error`);
  return String(Object(error).code);
};

test("a good one is believed, also for several audiences when it was made for this hub", async () => {
  assert.equal((await judge().claimsOf(await signed(good), "nonce-4711")).sub, "ada");
  const shared = await signed({ ...good, aud: ["other", CLIENT], azp: CLIENT });
  assert.equal((await judge().claimsOf(shared, "nonce-4711")).sub, "ada");
});

describe("refused", () => {
  const spki = async (): Promise<Uint8Array> => new TextEncoder().encode(await exportSPKI(publicKey));
  const cases: [string, () => unknown, string][] = [
    ["missing", () => undefined, "MISSING"],
    ["no text", () => ({}), "MALFORMED"],
    ["no token", () => "x.y.z", "MALFORMED"],
    ["alg none", () => unsigned("none"), "UNSIGNED"],
    ["no signature under a right algorithm", () => unsigned("RS512"), "FORGED"],
    [
      "HMAC with the client's secret",
      () => signed(good, { key: Buffer.alloc(64, 7), alg: "HS512" }),
      "UNSIGNED",
    ],
    [
      "HMAC with the public key as secret",
      async () => signed(good, { key: await spki(), alg: "HS256" }),
      "UNSIGNED",
    ],
    ["forged: signed by another key", () => signed(good, { key: other.privateKey }), "FORGED"],
    ["signed by a key nobody published", () => signed(good, { key: other.privateKey, kid: "two" }), "FORGED"],
    [
      "changed after it was signed",
      async () => {
        const [head, , signature] = (await signed(good)).split(".");
        return `${head}.${Buffer.from(JSON.stringify({ ...good, sub: "bob" })).toString("base64url")}.${signature}`;
      },
      "FORGED",
    ],
    ["another issuer", () => signed({ ...good, iss: "https://evil.example" }), "ISSUER"],
    ["an issuer that only begins so", () => signed({ ...good, iss: `${ISSUER}.evil.example` }), "ISSUER"],
    ["no issuer", () => signed(without("iss")), "ISSUER"],
    ["another audience", () => signed({ ...good, aud: "other" }), "AUDIENCE"],
    ["no audience", () => signed(without("aud")), "AUDIENCE"],
    ["several audiences, made for nobody", () => signed({ ...good, aud: [CLIENT, "other"] }), "AUDIENCE"],
    [
      "several audiences, made for another",
      () => signed({ ...good, aud: [CLIENT, "other"], azp: "other" }),
      "AUDIENCE",
    ],
    ["one audience, made for another", () => signed({ ...good, azp: "other" }), "AUDIENCE"],
    ["expired", () => signed({ ...good, exp: seconds - 61 }), "EXPIRED"],
    ["made too long ago", () => signed({ ...good, iat: seconds - 661 }), "EXPIRED"],
    ["made in the future", () => signed({ ...good, iat: seconds + 61 }), "EXPIRED"],
    ["not valid yet", () => signed({ ...good, nbf: seconds + 61 }), "EXPIRED"],
    ["replayed: the nonce of another attempt", () => signed({ ...good, nonce: "of another" }), "REPLAYED"],
    ["a nonce that is no text", () => signed({ ...good, nonce: ["nonce-4711"] }), "MALFORMED"],
    ["an empty subject", () => signed({ ...good, sub: "" }), "MALFORMED"],
    ...["exp", "iat", "sub", "nonce"].map((claim): [string, () => unknown, string] => [
      `without ${claim}`,
      () => signed(without(claim)),
      "MALFORMED",
    ]),
  ];
  for (const [what, token, fault] of cases)
    test(what, async () => {
      const code = await codeOf(await token());
      assert.equal(code, `GLOBUS_ID_TOKEN_${fault}`);
      assert.equal(Object(errors)[code].status, 403);
    });
});

describe("the provider's keys", () => {
  test("are fetched once for many at a time, and kept", async () => {
    const one = judge();
    const token = await signed(good);
    const before = fetches;
    await Promise.all(Array.from({ length: 20 }, () => one.claimsOf(token, "nonce-4711")));
    await one.claimsOf(token, "nonce-4711");
    assert.equal(fetches - before, 1);
  });

  test("may be two while they change, and a token that names none is by one of them", async () => {
    const two = { ...(await exportJWK(other.publicKey)), kid: "two", alg: "RS512" };
    keySet = { status: 200, body: { keys: [two, ...published.keys] } };
    const one = judge();
    for (const key of [privateKey, other.privateKey]) {
      const token = await signed(good, { key, kid: "" });
      assert.equal((await one.claimsOf(token, "nonce-4711")).sub, "ada");
    }
    const { privateKey: third } = await generateKeyPair("RS512");
    assert.equal(await codeOf(await signed(good, { key: third, kid: "" }), one), "GLOBUS_ID_TOKEN_FORGED");
    keySet = { status: 200, body: published };
  });

  test("that cannot be had say nothing of a token: nobody gets in, and it may be tried again", async () => {
    const token = await signed(good);
    for (const away of [
      { status: 503, body: {} },
      { status: 200, body: { none: true } },
    ]) {
      keySet = away;
      assert.equal(await codeOf(token), "GLOBUS_UNREACHABLE");
    }
    keySet = { status: 200, body: published };
    assert.equal(await codeOf(token, judge("http://127.0.0.1:1/jwk.json")), "GLOBUS_UNREACHABLE");
    keySet = { status: 200, body: { ...published, more: "x".repeat(4 * 1024 * 1024) } };
    await assert.rejects(judge().claimsOf(token, "nonce-4711"), {
      code: "GLOBUS_UNREACHABLE",
      detail: { address: jwksUrl, reason: "answer above 1 MiB" },
    });
    keySet = { status: 200, body: published };
  });
});
