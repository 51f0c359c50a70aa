import assert from "node:assert/strict";
import { after, afterEach, describe, test } from "node:test";
import { CLOSED_ORGANIZATION, ORGANIZATION, startGithub, TEAM } from "@elara/beds/providers/github";
import { githubApi } from "../src/github/api.ts";
import { isMember } from "../src/github/membership.ts";
import github from "../src/github.ts";
import { backAs, CALLBACK } from "./callback.ts";
import { begin, giveBack, logIn, refusalOf, stand } from "./stand.ts";

const provider = await startGithub();
after(() => provider.close());
afterEach(() => provider.break(undefined));

const base = { clientId: provider.clientId, clientSecret: provider.clientSecret, githubUrl: provider.url };
const allowed = async (rules: string[], person: string) =>
  (await logIn(await stand(github, { ...base, allowedOrganizations: rules }), person)).allowed;
const kept = (authState: unknown) => ({
  authState: JSON.parse(JSON.stringify(authState)),
  userName: "ada",
  signal: AbortSignal.timeout(10_000),
});

describe("organisations and teams", () => {
  test("let their members in; no rule lets nobody in", async () => {
    assert.equal(await allowed([], "ada"), undefined);
    assert.equal(await allowed([ORGANIZATION], "ada"), true);
    assert.equal(await allowed([ORGANIZATION], "bob"), undefined);
    assert.equal(await allowed([`${ORGANIZATION}:${TEAM}`], "ada"), true);
    assert.equal(await allowed([`${ORGANIZATION}:${TEAM}`], "eve"), undefined, "a member, not of the team");
    assert.equal(await allowed(["another", `${ORGANIZATION}:no-team`, ORGANIZATION], "eve"), true);
  });

  test("a membership of a team that is only offered counts for nothing", async () => {
    const asked: string[] = [];
    const api = {
      user: () => assert.fail("not asked"),
      asks: async (path: string) => {
        asked.push(path);
        return { status: 200, body: { state: "pending" } };
      },
    };
    const authenticator = await stand(github, base);
    assert.equal(await isMember(["o:t"], "ada/../eve", api, authenticator.host.log), false);
    assert.deepEqual(asked, ["/orgs/o/teams/t/memberships/ada%2F..%2Feve"]);
  });

  test("that keep the hub's app away let nobody in, and the operator reads which", async () => {
    const authenticator = await stand(github, { ...base, allowedOrganizations: [CLOSED_ORGANIZATION] });
    assert.equal((await logIn(authenticator, "ada")).allowed, undefined);
    const [line] = authenticator.host.lines.filter(({ level }) => level === "warn");
    assert.deepEqual(line?.fields, { organization: CLOSED_ORGANIZATION, login: "ada" });
    assert.match(line?.message ?? "", /Third-party Access/);
    assert.equal(await allowed([CLOSED_ORGANIZATION, ORGANIZATION], "ada"), true);
  });

  test("that want their single sign-on first are told apart", async () => {
    const client = {
      fetch,
      ask: async () => ({
        status: 403,
        headers: new Headers({ "x-github-sso": "required; url=https://github.com/orgs/o/sso" }),
        body: {},
      }),
    };
    const { host } = await stand(github, base);
    const api = githubApi(client, { api: "http://x" }, "token", AbortSignal.timeout(1000));
    assert.equal(await isMember(["o"], "ada", api, host.log), false);
    assert.match(host.lines.at(-1)?.message ?? "", /single sign-on/);
  });

  test("are asked for with the scope they need, and only then", async () => {
    const scope = async (options: object) =>
      new URL((await begin(await stand(github, { ...base, ...options }))).url).searchParams.get("scope");
    assert.equal(await scope({}), null);
    assert.equal(await scope({ allowedOrganizations: ["o"], scope: ["user:email"] }), "user:email read:org");
    assert.equal(await scope({ populateTeams: true }), "read:org");
  });
});

test("the identity is the number: who renames the login stays the same person", async () => {
  const authenticator = await stand(github, base);
  const { ada } = provider.people;
  const before = await logIn(authenticator, "ada");
  ada.login = "countess";
  try {
    const { issuer, subject, name } = await logIn(authenticator, "ada");
    assert.deepEqual({ issuer, subject, name }, { issuer: provider.url, subject: "1815", name: "countess" });
    assert.equal(before.subject, subject);
  } finally {
    ada.login = "ada";
  }
});

test("what is kept has oauthenticator's names, teams only when asked for", async () => {
  const plain = Object(
    (await logIn(await stand(github, { ...base, allowedOrganizations: [ORGANIZATION] }), "ada")).authState,
  );
  assert.deepEqual(Object.keys(plain), ["access_token", "token_response", "scope", "github_user"]);
  assert.equal(plain.github_user.login, "ada");
  assert.deepEqual(plain.scope, ["read:org"]);
  const { teams } = Object(
    (await logIn(await stand(github, { ...base, populateTeams: true }), "ada")).authState,
  );
  const team = teams.find(({ slug }: { slug: string }) => slug === TEAM);
  assert.deepEqual(Object.keys(team), ["id", "slug", "name", "organization"]);
  assert.deepEqual(team.organization, { login: ORGANIZATION });
});

test("teams are read page by page, and the token goes to no other place", async () => {
  const asked: string[] = [];
  const page = (link?: string) => ({
    status: 200,
    headers: new Headers(link ? { link: `<${link}>; rel="next"` } : {}),
    body: [{ slug: `team ${asked.length}` }],
  });
  const teams = (links: (string | undefined)[]) =>
    githubApi(
      {
        fetch,
        async ask(url) {
          asked.push(url);
          return page(links.shift());
        },
      },
      { api: "https://api.x" },
      "token",
      AbortSignal.timeout(1000),
    ).teams();
  assert.equal((await teams(["https://api.x/user/teams?page=2", undefined])).length, 2);
  assert.equal((await teams(["https://evil.example/?page=2", undefined])).length, 1);
  assert.deepEqual(
    asked.filter((url) => !url.startsWith("https://api.x/")),
    [],
  );
});

test("whoever was refused may choose another account", async () => {
  const { url } = await begin(await stand(github, base), { otherAccount: true });
  assert.equal(new URL(url).searchParams.get("prompt"), "select_account");
});

describe("a log-in fails without a trace", () => {
  test("at a provider that is broken, or asked too often", async () => {
    const authenticator = await stand(github, { ...base, allowedOrganizations: [ORGANIZATION] });
    for (const [fault, code] of [
      ["error", "GITHUB_CODE_REFUSED"],
      ["missing", "GITHUB_PROVIDER_ERROR"],
      ["down", "GITHUB_PROVIDER_ERROR"],
      ["rate-limited", "GITHUB_RATE_LIMITED"],
    ] as const) {
      const start = await begin(authenticator);
      const input = await backAs("ada")(start);
      provider.break(fault);
      const finish = authenticator.finish({
        input,
        state: start.state ?? {},
        callbackUrl: CALLBACK,
        signal: AbortSignal.timeout(5000),
      });
      assert.equal((await refusalOf(finish)).code, code, fault);
      provider.break(undefined);
    }
  });

  test("whose callback is another provider's", async () => {
    const authenticator = await stand(github, base);
    const elsewhere = logIn(authenticator, "ada", (input) => ({ ...input, iss: "https://evil.example" }));
    assert.equal((await refusalOf(elsewhere)).code, "GITHUB_ISSUER_MISMATCH");
    const own = logIn(authenticator, "ada", (input) => ({ ...input, iss: `${provider.url}/login/oauth` }));
    assert.equal((await own).name, "ada");
  });

  test("refused after the exchange: its token can be given back", async () => {
    const authenticator = await stand(github, base);
    const { ada } = provider.people;
    const before = provider.liveTokens().length;
    const { login } = ada;
    ada.login = "";
    try {
      const refusal = await refusalOf(logIn(authenticator, "ada"));
      assert.equal(refusal.code, "GITHUB_PROVIDER_ERROR");
      assert.equal(provider.liveTokens().length, before + 1);
      await giveBack(authenticator, refusal);
    } finally {
      ada.login = login;
    }
    assert.equal(provider.liveTokens().length, before);
  });
});

describe("a log-out", () => {
  test("revokes the token, and may be repeated", async () => {
    const authenticator = await stand(github, base);
    const { authState } = await logIn(authenticator, "bob");
    const live = () => provider.liveTokens().filter(({ login }) => login === "bob").length;
    const before = live();
    await authenticator.logout?.(kept(authState));
    assert.equal(live(), before - 1);
    await authenticator.logout?.(kept(authState));
    await authenticator.logout?.(kept({}));
  });

  test("that GitHub does not believe is told, for it says Not Found of a wrong secret too", async () => {
    const { authState } = await logIn(await stand(github, base), "bob");
    const wrong = await stand(github, { ...base, clientSecret: "another" });
    const { code } = await refusalOf(wrong.logout?.(kept(authState)) ?? Promise.resolve());
    assert.equal(code, "GITHUB_CLIENT_REFUSED");
  });
});
