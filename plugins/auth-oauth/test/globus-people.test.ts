import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { after, describe, test } from "node:test";
import { ADMIN_GROUP, DOMAIN, GROUP, startGlobus } from "@elara/beds/providers/globus";
import globus from "../src/globus.ts";
import { begin, giveBack, logIn, refusalOf, stand } from "./stand.ts";

const provider = await startGlobus();
after(() => provider.close());

const TRANSFER = "urn:globus:auth:scope:transfer.api.globus.org:all";
const SERVERS = ["auth.globus.org", "groups.api.globus.org", "transfer.api.globus.org"];
const base = {
  clientId: provider.clientId,
  clientSecret: provider.clientSecret,
  issuer: provider.issuer,
  groupsUrl: provider.endpoints.groups,
  identityProvider: DOMAIN,
};
const flags = async (options: object, person: string) => {
  const { allowed, admin } = await logIn(await stand(globus, { ...base, ...options }), person);
  return { allowed, admin };
};
/** What a notebook's Python finds in GLOBUS_DATA. */
const inNotebook = (env: Readonly<Record<string, string>> | undefined) =>
  JSON.parse(
    execFileSync(
      "python3",
      [
        "-c",
        "import base64, json, os, pickle; print(json.dumps(pickle.loads(base64.b64decode(os.environ['GLOBUS_DATA']))))",
      ],
      { env: { ...process.env, ...env }, encoding: "utf8" },
    ),
  );
const kept = (authState: unknown) => ({
  authState: JSON.parse(JSON.stringify(authState)),
  userName: "ada",
  signal: AbortSignal.timeout(10_000),
});

describe("groups", () => {
  test("let in and make administrators; no rule lets nobody in", async () => {
    assert.deepEqual(await flags({}, "ada"), { allowed: undefined, admin: undefined });
    const rules = { allowedGlobusGroups: [GROUP.toUpperCase()], adminGlobusGroups: [ADMIN_GROUP] };
    assert.deepEqual(await flags(rules, "ada"), { allowed: true, admin: false });
    assert.deepEqual(await flags(rules, "grace"), { allowed: true, admin: true });
    assert.deepEqual(await flags(rules, "bob"), { allowed: undefined, admin: false });
    assert.deepEqual(await flags({ adminGlobusGroups: [ADMIN_GROUP] }, "grace"), {
      allowed: true,
      admin: true,
    });
  });

  test("are asked for only when a rule needs them", async () => {
    const scopes = async (options: object): Promise<string[]> => {
      const { url } = await begin(await stand(globus, { ...base, ...options }));
      return new URL(url).searchParams.get("scope")?.split(" ") ?? [];
    };
    assert.deepEqual(await scopes({}), ["openid", "profile"]);
    assert.deepEqual(await scopes({ scope: [TRANSFER], usernameFromEmail: true }), [
      "openid",
      "profile",
      "email",
      TRANSFER,
    ]);
    const [last] = (await scopes({ allowedGlobusGroups: [GROUP] })).slice(-1);
    assert.match(last ?? "", /view_my_groups_and_memberships$/);
  });

  test("that cannot be asked for let nobody in, and nothing of the log-in stays", async () => {
    const authenticator = await stand(globus, {
      ...base,
      allowedGlobusGroups: [GROUP],
      groupsUrl: provider.endpoints.transfer,
    });
    const before = provider.liveTokens().length;
    const refusal = await refusalOf(logIn(authenticator, "ada"));
    const { code, retryable } = refusal;
    assert.deepEqual({ code, retryable }, { code: "GLOBUS_GROUPS_UNKNOWN", retryable: true });
    await giveBack(authenticator, refusal);
    assert.equal(provider.liveTokens().length, before);
  });
});

test("the identity is the subject; the name stands before the @, of the username or of the e-mail address", async () => {
  const { sub } = provider.people.ada;
  const { issuer, subject, name } = await logIn(await stand(globus, base), "ada");
  assert.deepEqual({ issuer, subject, name }, { issuer: provider.issuer, subject: sub, name: "ada" });
  provider.people.ada.email = `ada.lovelace@${DOMAIN}`;
  const byMail = await logIn(await stand(globus, { ...base, usernameFromEmail: true }), "ada");
  assert.deepEqual({ subject: byMail.subject, name: byMail.name }, { subject: sub, name: "ada.lovelace" });
});

test("whoever was refused is asked who they are", async () => {
  const { url } = await begin(await stand(globus, base), { otherAccount: true });
  assert.equal(new URL(url).searchParams.get("prompt"), "login");
});

describe("tokens", () => {
  const options = {
    ...base,
    allowedGlobusGroups: [GROUP],
    scope: [TRANSFER],
    offlineAccess: true,
    globusLocalEndpoint: "ddb59aef-6d04-11e5-ba46-22000b92c6ec",
  };

  test("of services reach the notebook, as oauthenticator writes them; others are in no part of it", async () => {
    const now = Date.now();
    const authenticator = await stand(globus, options, { now: () => now });
    const { authState = {} } = await logIn(authenticator, "ada");
    const env = await authenticator.preSpawn?.(kept(authState));
    assert.equal(env?.GLOBUS_LOCAL_ENDPOINT, options.globusLocalEndpoint);
    const data = inNotebook(env);
    assert.deepEqual(Object.keys(data).sort(), [
      "client_id",
      "globus_groups",
      "globus_user",
      "token_response",
      "tokens",
    ]);
    const { access_token, refresh_token, ...rest } = data.tokens["transfer.api.globus.org"];
    assert.deepEqual(rest, {
      expires_in: 172_800,
      expires_at_seconds: Math.floor(now / 1000) + 172_800,
      resource_server: "transfer.api.globus.org",
      scope: TRANSFER,
      token_type: "Bearer",
    });
    assert.ok(access_token && refresh_token);
    assert.deepEqual(Object.keys(data.tokens), ["transfer.api.globus.org"]);
    assert.deepEqual(data.globus_groups, [GROUP]);
    assert.equal(data.globus_user.preferred_username, `ada@${DOMAIN}`);
    const answer = Object(authState.token_response);
    const groups = answer.other_tokens.find((one: { resource_server: string }) =>
      /^groups/.test(one.resource_server),
    );
    const text = JSON.stringify(data);
    for (const secret of [answer.access_token, answer.refresh_token, answer.id_token, groups.access_token])
      assert.ok(secret && !text.includes(secret));
    const transfer = await fetch(`${provider.endpoints.transfer}/ls?path=/data`, {
      headers: { authorization: `Bearer ${access_token}` },
    });
    assert.equal(transfer.status, 200);
  });

  test("come alone when the rest is too long for a variable", async () => {
    const authenticator = await stand(globus, options);
    const { authState = {} } = await logIn(authenticator, "ada");
    const globus_groups = Array.from({ length: 4000 }, () => GROUP);
    const env = await authenticator.preSpawn?.(kept({ ...authState, globus_groups }));
    const { tokens, ...rest } = inNotebook(env);
    assert.deepEqual([tokens, rest], [authState.tokens, { client_id: options.clientId }]);
    assert.ok(
      authenticator.host.lines.some(({ level, message }) => level === "warn" && /GLOBUS_DATA/.test(message)),
    );
  });

  test("of no excluded server: all of them are there", async () => {
    const authenticator = await stand(globus, { ...options, excludeTokens: [] });
    const { authState } = await logIn(authenticator, "ada");
    const data = inNotebook(await authenticator.preSpawn?.(kept(authState)));
    assert.deepEqual(Object.keys(data.tokens).sort(), SERVERS);
    assert.deepEqual(data, kept(authState).authState);
  });

  test("without offline access have no refresh token, but its key", async () => {
    const { authState = {} } = await logIn(await stand(globus, { ...options, offlineAccess: false }), "ada");
    const [token] = Object.values(Object(authState.tokens));
    assert.equal(Object(token).refresh_token, null);
  });

  test("are all revoked by a log-out: access and refresh of every resource server", async () => {
    const authenticator = await stand(globus, options);
    const before = provider.liveTokens().length;
    const { authState } = await logIn(authenticator, "ada");
    const given = provider.liveTokens().map(({ kind, resourceServer }) => `${resourceServer} ${kind}`);
    assert.equal(given.length - before, 6);
    assert.equal(new Set(given).size, 6);
    await authenticator.logout?.(kept(authState));
    assert.equal(provider.liveTokens().length, before);
    await authenticator.logout?.(kept(authState));
  });

  test("stay when the options say so", async () => {
    const authenticator = await stand(globus, { ...options, revokeTokensOnLogout: false });
    const { authState } = await logIn(authenticator, "ada");
    const before = provider.liveTokens().length;
    await authenticator.logout?.(kept(authState));
    assert.equal(provider.liveTokens().length, before);
  });

  test("of a log-in that was refused never stay", async () => {
    const authenticator = await stand(globus, { ...options, revokeTokensOnLogout: false });
    const before = provider.liveTokens().length;
    provider.break("forged");
    const refusal = await refusalOf(logIn(authenticator, "ada")).finally(() => provider.break(undefined));
    await giveBack(authenticator, refusal);
    assert.equal(provider.liveTokens().length, before);
  });

  test("that cannot be revoked are told as that, so that it is tried again", async () => {
    const { authState } = await logIn(await stand(globus, options), "ada");
    const wrong = await stand(globus, { ...options, clientSecret: "another secret" });
    const refusal = await refusalOf(wrong.logout?.(kept(authState)) ?? Promise.resolve());
    assert.equal(refusal.code, "GLOBUS_CLIENT_REFUSED");
    const away = await stand(globus, { ...options, revocationUrl: "http://127.0.0.1:1/revoke" });
    assert.equal(
      (await refusalOf(away.logout?.(kept(authState)) ?? Promise.resolve())).code,
      "GLOBUS_UNREACHABLE",
    );
  });
});
