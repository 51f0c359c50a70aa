import assert from "node:assert/strict";
import { after, afterEach, describe, test } from "node:test";
import {
  DOMAIN,
  type GlobusFault,
  GROUP,
  IDENTITY_PROVIDER,
  startGlobus,
} from "@elara/beds/providers/globus";
import globus from "../src/globus.ts";
import { begin, giveBack, logIn, refusalOf, stand } from "./stand.ts";

// Globus takes every linked identity, so its own page keeps nobody away here.
const provider = await startGlobus({ holdsDomain: false });
after(() => provider.close());
afterEach(() => provider.break(undefined));

const options = {
  clientId: provider.clientId,
  clientSecret: provider.clientSecret,
  issuer: provider.issuer,
  groupsUrl: provider.endpoints.groups,
  allowedGlobusGroups: [GROUP],
};

describe("a log-in is refused when Globus' answer is", () => {
  const faults: [GlobusFault, string][] = [
    ["forged", "GLOBUS_ID_TOKEN_FORGED"],
    ["alg-none", "GLOBUS_ID_TOKEN_UNSIGNED"],
    ["wrong-issuer", "GLOBUS_ID_TOKEN_ISSUER"],
    ["expired", "GLOBUS_ID_TOKEN_EXPIRED"],
    ["missing", "GLOBUS_ID_TOKEN_MISSING"],
    ["replayed", "GLOBUS_ID_TOKEN_REPLAYED"],
    ["wrong-audience", "GLOBUS_ID_TOKEN_AUDIENCE"],
    ["two-audiences", "GLOBUS_ID_TOKEN_AUDIENCE"],
    ["wrong-subject", "GLOBUS_SUBJECT_MISMATCH"],
  ];
  for (const [fault, code] of faults)
    test(`${fault}, and its tokens can be given back`, async () => {
      const authenticator = await stand(globus, options);
      const before = provider.liveTokens().length;
      provider.break(fault);
      const refusal = await refusalOf(logIn(authenticator, "ada"));
      assert.equal(refusal.code, code);
      assert.ok(provider.liveTokens().length > before);
      await giveBack(authenticator, refusal);
      assert.equal(provider.liveTokens().length, before);
    });

  test("none: then it may be tried again", async () => {
    provider.break("down");
    const { code, retryable } = await refusalOf(logIn(await stand(globus, options), "ada"));
    assert.deepEqual({ code, retryable }, { code: "GLOBUS_PROVIDER_ERROR", retryable: true });
  });
});

test("the callback of another provider is refused before its code is used", async () => {
  const authenticator = await stand(globus, options);
  const before = provider.calls.filter(({ path }) => path.endsWith("/token")).length;
  const elsewhere = logIn(authenticator, "ada", (input) => ({ ...input, iss: "https://evil.example" }));
  assert.equal((await refusalOf(elsewhere)).code, "GLOBUS_ISSUER_MISMATCH");
  assert.equal(provider.calls.filter(({ path }) => path.endsWith("/token")).length, before);
});

describe("the identity provider", () => {
  test("is asked for, by its domain", async () => {
    const { url } = await begin(await stand(globus, { ...options, identityProvider: DOMAIN }));
    assert.equal(new URL(url).searchParams.get("session_required_single_domain"), DOMAIN);
  });

  for (const [what, restriction] of [
    ["domain", { identityProvider: DOMAIN }],
    ["UUID", { identityProviderId: IDENTITY_PROVIDER.toUpperCase() }],
    ["domain, with names from e-mail", { identityProvider: DOMAIN, usernameFromEmail: true }],
  ] as const)
    test(`restricts by ${what}, also whom a group would let in`, async () => {
      const authenticator = await stand(globus, { ...options, ...restriction });
      assert.equal((await logIn(authenticator, "ada")).allowed, true);
      const before = provider.liveTokens().length;
      const refusal = await refusalOf(logIn(authenticator, "eve"));
      const { code, status, message, who } = refusal;
      assert.deepEqual(
        { code, status, who },
        { code: "GLOBUS_IDENTITY_PROVIDER", status: 403, who: "ada@elsewhere.example" },
      );
      assert.match(String(message), /app\.globus\.org\/account/);
      await giveBack(authenticator, refusal);
      assert.equal(provider.liveTokens().length, before, "nothing of eve's is left");
    });

  test("is not proven by an e-mail address of its domain", async () => {
    const { eve } = provider.people;
    const { email } = eve;
    eve.email = `eve@${DOMAIN}`;
    try {
      const authenticator = await stand(globus, {
        ...options,
        identityProvider: DOMAIN,
        usernameFromEmail: true,
      });
      assert.equal((await refusalOf(logIn(authenticator, "eve"))).code, "GLOBUS_IDENTITY_PROVIDER");
    } finally {
      eve.email = email;
    }
  });

  test("is not the domain that only ends so", async () => {
    const { eve } = provider.people;
    const { username } = eve;
    const authenticator = await stand(globus, { ...options, identityProvider: DOMAIN });
    try {
      for (const name of [
        `ada@sub.${DOMAIN}`,
        `ada@evil${DOMAIN}`,
        `ada@${DOMAIN}@elsewhere.example`,
        DOMAIN,
      ]) {
        eve.username = name;
        assert.equal((await refusalOf(logIn(authenticator, "eve"))).code, "GLOBUS_IDENTITY_PROVIDER", name);
      }
    } finally {
      eve.username = username;
    }
  });
});
