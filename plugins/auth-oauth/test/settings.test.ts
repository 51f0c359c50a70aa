import assert from "node:assert/strict";
import { after, describe, test } from "node:test";
import { startGithub } from "@elara/beds/providers/github";
import { startGlobus } from "@elara/beds/providers/globus";
import { Value } from "typebox/value";
import { errors as githubErrors, faults as githubFaults } from "../src/github/errors.ts";
import { options as githubOptions, githubSettings } from "../src/github/settings.ts";
import github from "../src/github.ts";
import { errors as globusErrors } from "../src/globus/errors.ts";
import { options as globusOptions, globusSettings } from "../src/globus/settings.ts";
import globus from "../src/globus.ts";
import { settledCallback } from "../src/settings.ts";
import { begin, refusalOf, stand } from "./stand.ts";

const [hub, lab] = [await startGithub(), await startGlobus()];
after(async () => {
  await hub.close();
  await lab.close();
});
const client = { OAUTH_CLIENT_ID: "the hub", OAUTH_CLIENT_SECRET: "its secret" };
const first = ["/hub/oauth_callback/test", "/hub/oauth_callback"] as const;
const at = { callbackPaths: first, publicUrl: "" };
const atGithub = (given: object, env: Record<string, string> = client) =>
  githubSettings(Value.Parse(githubOptions, Value.Default(githubOptions, given)), env, at);
const atGlobus = (given: object, env: Record<string, string> = client) =>
  globusSettings(Value.Parse(globusOptions, Value.Default(globusOptions, given)), env, at);
const refusal = (work: () => unknown): Record<string, unknown> => {
  try {
    work();
  } catch (error) {
    return Object(error);
  }
  assert.fail("it was not refused");
};

describe("options over oauthenticator's environment", () => {
  test("of GitHub: id and secret, the option before the variable, the own variable before the common one", () => {
    const env = { ...client, GITHUB_CLIENT_ID: "at github", GITHUB_CLIENT_SECRET: "of github" };
    const both = ({ clientId, clientSecret }: { clientId: string; clientSecret: string }) => [
      clientId,
      clientSecret,
    ];
    assert.deepEqual(both(atGithub({})), ["the hub", "its secret"]);
    assert.deepEqual(both(atGithub({}, env)), ["at github", "of github"]);
    assert.deepEqual(both(atGithub({ clientId: "x", clientSecret: "y" }, env)), ["x", "y"]);
  });

  test("of GitHub: addresses of Enterprise", () => {
    const places = (given: object, env: Record<string, string> = {}) => {
      const { url, api } = atGithub(given, { ...client, ...env });
      return [url, api];
    };
    assert.deepEqual(places({}), ["https://github.com", "https://api.github.com"]);
    const own = ["https://git.example.org", "https://git.example.org/api/v3"];
    assert.deepEqual(places({ githubUrl: "https://git.example.org/" }), own);
    assert.deepEqual(places({}, { GITHUB_URL: "https://git.example.org" }), own);
    assert.deepEqual(places({}, { GITHUB_URL: "git.example.org" }), own);
    assert.deepEqual(places({}, { GITHUB_HOST: "git.example.org" }), own);
    assert.deepEqual(places({}, { GITHUB_HOST: "git.example.org", GITHUB_HTTP: "1" }), [
      "http://git.example.org",
      "http://git.example.org/api/v3",
    ]);
    assert.deepEqual(places({ githubUrl: "https://x.org", githubApi: "https://api.x.org/" }), [
      "https://x.org",
      "https://api.x.org",
    ]);
  });

  test("of GitHub: an address has one spelling, as it is who vouches", () => {
    const issuer = (githubUrl: string) => atGithub({ githubUrl }).url;
    for (const same of ["https://GitHub.com", "https://github.com:443/", "https://github.com//"]) {
      assert.equal(issuer(same), "https://github.com", same);
      assert.equal(atGithub({ githubUrl: same }).api, "https://api.github.com", same);
    }
    assert.equal(issuer("http://Git.Example.org:80/Sub/"), "http://git.example.org/Sub");
    assert.equal(issuer("http://git.example.org:8080"), "http://git.example.org:8080");
  });

  test("of Globus: the issuer as it is written, for id_tokens repeat it", () => {
    assert.equal(atGlobus({ issuer: "https://Auth.example:443/x" }).issuer, "https://Auth.example:443/x");
  });

  test("of Globus: its own addresses, one issuer's, or each by itself", () => {
    const { authorizeUrl, tokenUrl, userdataUrl, revocationUrl, jwksUrl, groupsUrl, issuer } = atGlobus({});
    assert.deepEqual(
      { authorizeUrl, tokenUrl, userdataUrl, revocationUrl, jwksUrl, groupsUrl, issuer },
      {
        issuer: "https://auth.globus.org",
        authorizeUrl: "https://auth.globus.org/v2/oauth2/authorize",
        tokenUrl: "https://auth.globus.org/v2/oauth2/token",
        userdataUrl: "https://auth.globus.org/v2/oauth2/userinfo",
        revocationUrl: "https://auth.globus.org/v2/oauth2/token/revoke",
        jwksUrl: "https://auth.globus.org/jwk.json",
        groupsUrl: "https://groups.api.globus.org/v2/groups/my_groups",
      },
    );
    const moved = atGlobus({ issuer: "http://127.0.0.1:9", tokenUrl: "http://127.0.0.1:8/t" });
    assert.deepEqual(
      [moved.jwksUrl, moved.tokenUrl],
      ["http://127.0.0.1:9/jwk.json", "http://127.0.0.1:8/t"],
    );
    const env = {
      ...client,
      OAUTH2_AUTHORIZE_URL: "https://a.example/1",
      OAUTH2_TOKEN_URL: "https://a.example/2",
      OAUTH2_USERDATA_URL: "https://a.example/3",
      IDENTITY_PROVIDER: "Uni.Example",
      GLOBUS_LOCAL_ENDPOINT: "an endpoint",
      OAUTH_CALLBACK_URL: "https://hub.example/hub/oauth_callback",
    };
    const named = atGlobus({}, env);
    assert.deepEqual(
      [
        named.authorizeUrl,
        named.tokenUrl,
        named.userdataUrl,
        named.domain,
        named.localEndpoint,
        named.callbackUrl,
      ],
      [
        "https://a.example/1",
        "https://a.example/2",
        "https://a.example/3",
        "uni.example",
        "an endpoint",
        "https://hub.example/hub/oauth_callback",
      ],
    );
    assert.equal(atGlobus({ identityProvider: "own.example" }, env).domain, "own.example");
  });

  test("certificates are verified unless OAUTH_TLS_VERIFY is 0", () => {
    for (const settings of [atGithub, atGlobus]) {
      assert.equal(settings({}).isTlsVerified, true);
      assert.equal(settings({}, { ...client, OAUTH_TLS_VERIFY: "1" }).isTlsVerified, true);
      assert.equal(settings({}, { ...client, OAUTH_TLS_VERIFY: "0" }).isTlsVerified, false);
    }
  });
});

describe("a fault names the option, the variable and what to do", () => {
  test("no id, no secret", () => {
    for (const [settings, names] of [
      [atGithub, ["GITHUB_CLIENT_ID", "GITHUB_CLIENT_SECRET"]],
      [atGlobus, ["OAUTH_CLIENT_ID", "OAUTH_CLIENT_SECRET"]],
    ] as const) {
      const noId = refusal(() => settings({}, { OAUTH_CLIENT_SECRET: "s" }));
      assert.match(String(noId.code), /_CLIENT_ID_MISSING$/);
      assert.equal(noId.field, "clientId");
      assert.match(String(noId.operator), new RegExp(`\`clientId\`.*${names[0]}`));
      const noSecret = refusal(() => settings({}, { OAUTH_CLIENT_ID: "i" }));
      assert.match(String(noSecret.code), /_CLIENT_SECRET_MISSING$/);
      assert.match(String(noSecret.operator), new RegExp(`\`clientSecret\`.*${names[1]}`));
    }
  });

  test("an address that is none", () => {
    for (const wrong of ["github.com", "ftp://x", "https://x/?a=b", "https://me:secret@x", "javascript:0"]) {
      const { code, operator, field } = refusal(() => atGithub({ githubUrl: wrong }));
      assert.equal(code, "GITHUB_ADDRESS_INVALID", wrong);
      assert.equal(field, "githubUrl");
      assert.match(String(operator), /GITHUB_URL/);
      assert.doesNotMatch(String(operator), /secret/);
    }
    const wrong = refusal(() => atGlobus({}, { ...client, OAUTH2_TOKEN_URL: "auth.example" }));
    assert.match(String(wrong.operator), /`tokenUrl` \(OAUTH2_TOKEN_URL/);
  });

  test("a page or the API of GitHub in place of its address", () => {
    for (const path of ["/login/oauth/authorize", "/login", "/api/v3", "/sub/login/oauth"]) {
      const { code, operator } = refusal(() => atGithub({ githubUrl: `https://git.example.org${path}` }));
      assert.equal(code, "GITHUB_ADDRESS_INVALID", path);
      const instance = path.startsWith("/sub") ? "https://git.example.org/sub" : "https://git.example.org";
      assert.ok(String(operator).includes(`address of the instance, ${instance},`), String(operator));
    }
  });

  test("an organisation or team that no address of GitHub's can name", () => {
    const faultsOf = (rule: string) => [
      ...Value.Errors(githubOptions.properties.allowedOrganizations, [rule]),
    ];
    for (const right of ["my-org", "my-org:its-team", "o:a.b_c"])
      assert.deepEqual(faultsOf(right), [], right);
    const wrong = ["", ":", "org:", ":team", "a:b:c", "org: team", "org/team", "https://github.com/org"];
    for (const rule of wrong)
      assert.deepEqual(
        faultsOf(rule).map((fault) => fault.instancePath),
        ["/0"],
        rule,
      );
  });

  test("a callback that leads to another log-in", () => {
    const named = "/base/hub/oauth_callback/github";
    const ofFirst = [named, "/base/hub/oauth_callback"] as const;
    const option = (path: string, paths: readonly [string, ...string[]]) =>
      settledCallback(`https://h.example${path}`, {}, { callbackPaths: paths, publicUrl: "" }, githubFaults);
    assert.equal(settledCallback("", {}, { callbackPaths: [named], publicUrl: "" }, githubFaults), "");
    for (const right of ofFirst) assert.equal(option(right, ofFirst), `https://h.example${right}`);
    assert.equal(option(named, [named]), `https://h.example${named}`);
    for (const [wrong, paths] of [
      ["/hub/oauth_callback", ofFirst],
      ["/base/hub/oauth_callback/globus", ofFirst],
      ["/", ofFirst],
      ["/base/hub/oauth_callback", [named]],
    ] as const) {
      const { code, field, operator } = refusal(() => option(wrong, paths));
      assert.deepEqual({ code, field }, { code: "GITHUB_CALLBACK_INVALID", field: "callbackUrl" });
      for (const word of ["`callbackUrl`", wrong, named]) assert.ok(String(operator).includes(word));
    }
  });

  test("a callback at another address than the hub's, where that is known", () => {
    const at = (address: string, publicUrl: string) =>
      githubSettings(
        Value.Parse(githubOptions, Value.Default(githubOptions, { callbackUrl: `${address}${first[1]}` })),
        client,
        { callbackPaths: first, publicUrl },
      ).callbackUrl;
    const publicUrl = "https://hub.example";
    assert.ok(at("https://other.example", ""));
    assert.ok(at("https://Hub.example:443", publicUrl));
    for (const wrong of ["https://other.example", "http://hub.example", "https://hub.example:8443"]) {
      const { code, field, operator } = refusal(() => at(wrong, publicUrl));
      assert.deepEqual({ code, field }, { code: "GITHUB_CALLBACK_INVALID", field: "callbackUrl" });
      assert.ok(
        String(operator).includes(wrong) && String(operator).includes(`\`hub.publicUrl\`, ${publicUrl}`),
      );
    }
  });

  test("the variable without a name is one for all entries: the first answers there, the others below it", () => {
    const env = { OAUTH_CALLBACK_URL: "https://h.example/hub/oauth_callback" };
    const nameless = "/hub/oauth_callback";
    const at = (paths: readonly [string, ...string[]], more = {}) =>
      settledCallback("", { ...env, ...more }, { callbackPaths: paths, publicUrl: "" }, githubFaults);
    assert.equal(at([`${nameless}/globus`, nameless]), env.OAUTH_CALLBACK_URL);
    assert.equal(at([`${nameless}/github`]), `${env.OAUTH_CALLBACK_URL}/github`);
    const ofGlobus = { OAUTH_CALLBACK_URL: `https://h.example${nameless}/globus` };
    const { code, operator } = refusal(() => at([`${nameless}/github`], ofGlobus));
    assert.equal(code, "GITHUB_CALLBACK_INVALID");
    assert.match(String(operator), /^OAUTH_CALLBACK_URL .*Set option `callbackUrl` of this entry/);
  });

  test("no placeholder is left in a sentence", () => {
    for (const row of Object.values({ ...githubErrors, ...globusErrors }))
      assert.doesNotMatch(`${row.user}${row.operator}`, /\{[a-zA-Z]+\}/);
  });
});

describe("check", () => {
  const right = { clientId: hub.clientId, clientSecret: hub.clientSecret, githubUrl: hub.url };
  const globusRight = { clientId: lab.clientId, clientSecret: lab.clientSecret, issuer: lab.issuer };
  const codeOf = async (plugin: typeof github | typeof globus, options: object): Promise<unknown> => {
    const authenticator = await stand(plugin as typeof github, options);
    return (await refusalOf(authenticator.check?.() ?? Promise.resolve())).code;
  };

  test("passes where all is right", async () => {
    await (await stand(github, right)).check?.();
    await (await stand(globus, globusRight)).check?.();
  });

  test("finds a wrong id or secret", async () => {
    assert.equal(await codeOf(github, { ...right, clientSecret: "wrong" }), "GITHUB_CLIENT_REFUSED");
    assert.equal(await codeOf(github, { ...right, clientId: "wrong" }), "GITHUB_CLIENT_REFUSED");
    assert.equal(await codeOf(globus, { ...globusRight, clientSecret: "wrong" }), "GLOBUS_CLIENT_REFUSED");
    assert.equal(await codeOf(globus, { ...globusRight, clientId: "wrong" }), "GLOBUS_CLIENT_REFUSED");
  });

  test("finds an address where nobody is, or another", async () => {
    const nobody = "http://127.0.0.1:1";
    assert.equal(await codeOf(github, { ...right, githubUrl: nobody }), "GITHUB_UNREACHABLE");
    assert.equal(await codeOf(github, { ...right, githubApi: nobody }), "GITHUB_UNREACHABLE");
    assert.equal(
      await codeOf(globus, { ...globusRight, jwksUrl: `${lab.url}/none` }),
      "GLOBUS_PROVIDER_ERROR",
    );
    for (const option of ["authorizeUrl", "tokenUrl", "userdataUrl", "revocationUrl", "jwksUrl"])
      assert.equal(await codeOf(globus, { ...globusRight, [option]: nobody }), "GLOBUS_UNREACHABLE", option);
  });
});

test("certificates that are not verified are told in the log", async () => {
  const before = process.env.OAUTH_TLS_VERIFY;
  process.env.OAUTH_TLS_VERIFY = "0";
  try {
    const { host } = await stand(github, { clientId: "x", clientSecret: "y" });
    assert.ok(host.lines.some(({ level, message }) => level === "warn" && /NOT verified/.test(message)));
  } finally {
    if (before === undefined) delete process.env.OAUTH_TLS_VERIFY;
    else process.env.OAUTH_TLS_VERIFY = before;
  }
});

test("a provider that is spoken to without TLS is told in the log, unless it is on this machine", async () => {
  const warnings = async (githubUrl: string) => {
    const { host } = await stand(github, { clientId: "x", clientSecret: "y", githubUrl });
    return host.lines.filter(({ message }) => /without TLS/.test(message)).map(({ fields }) => fields);
  };
  assert.deepEqual(await warnings("http://git.example.org"), [
    { addresses: ["http://git.example.org", "http://git.example.org/api/v3"] },
  ]);
  assert.deepEqual(await warnings("http://127.0.0.1:9"), []);
  assert.deepEqual(await warnings("https://git.example.org"), []);
});

test("both of two entries send what OAUTH_CALLBACK_URL says, each its own way back", async (t) => {
  const before = process.env.OAUTH_CALLBACK_URL;
  process.env.OAUTH_CALLBACK_URL = "https://hub.example.org/hub/oauth_callback";
  t.after(() => {
    if (before === undefined) delete process.env.OAUTH_CALLBACK_URL;
    else process.env.OAUTH_CALLBACK_URL = before;
  });
  const options = { clientId: "x", clientSecret: "y" };
  const nameless = "/hub/oauth_callback";
  const sent = async (authenticator: Parameters<typeof begin>[0]) =>
    new URL((await begin(authenticator)).url).searchParams.get("redirect_uri");
  const first = await stand(globus, options, { callbackPaths: [`${nameless}/globus`, nameless] });
  assert.equal(await sent(first), "https://hub.example.org/hub/oauth_callback");
  const second = await stand(github, options, { callbackPaths: [`${nameless}/github`] });
  assert.equal(await sent(second), "https://hub.example.org/hub/oauth_callback/github");
  process.env.OAUTH_CALLBACK_URL += "/globus";
  await assert.rejects(stand(github, options, { callbackPaths: [`${nameless}/github`] }), {
    code: "GITHUB_CALLBACK_INVALID",
  });
});

test("a configured callback is what is sent", async () => {
  const callbackUrl = "https://hub.example.org/hub/oauth_callback";
  const authenticator = await stand(github, { clientId: "x", clientSecret: "y", callbackUrl });
  assert.equal(new URL((await begin(authenticator)).url).searchParams.get("redirect_uri"), callbackUrl);
});
