import assert from "node:assert/strict";
import { request } from "node:http";
import { after, before, describe, test } from "node:test";
import { type Github, ORGANIZATION, startGithub, TEAM } from "@elara/beds/providers/github";
import { DOMAIN, type Globus, startGlobus } from "@elara/beds/providers/globus";
import { walkAs } from "@elara/beds/providers/walk";

const CALLBACK = "http://127.0.0.1:9/hub/oauth_callback";
const bearer = (token: string) => ({ authorization: `Bearer ${token}` });
const basic = (id: string, secret: string) => ({
  authorization: `Basic ${Buffer.from(`${id}:${secret}`).toString("base64")}`,
});
const code = (callback: string): string => new URL(callback).searchParams.get("code") ?? "";

/** What clients rely on at Globus and do not try at every log-in. */
describe("the stand-in of Globus", () => {
  let globus: Globus;
  before(async () => {
    globus = await startGlobus();
  });
  after(() => globus.close());

  interface Tokens {
    access_token: string;
    refresh_token: string;
    resource_server: string;
    other_tokens: Tokens[];
    error?: string;
  }
  const exchange = (fields: Record<string, string>) =>
    fetch(globus.endpoints.token, {
      method: "POST",
      headers: basic(globus.clientId, globus.clientSecret),
      body: new URLSearchParams(fields),
    });
  const logIn = async (): Promise<{ auth: Tokens; transfer: Tokens }> => {
    const url = new URL(globus.endpoints.authorize);
    url.search = new URLSearchParams({
      client_id: globus.clientId,
      redirect_uri: CALLBACK,
      response_type: "code",
      scope: "openid profile urn:globus:auth:scope:transfer.api.globus.org:all",
      access_type: "offline",
      state: "s",
    }).toString();
    const grant = { grant_type: "authorization_code", redirect_uri: CALLBACK };
    const answer = await exchange({ ...grant, code: code(await walkAs(url.href, "eve")) });
    const auth = (await answer.json()) as Tokens;
    const [transfer] = auth.other_tokens;
    assert.ok(transfer);
    return { auth, transfer };
  };

  test("a resource server takes its own token only, and says what it wants", async () => {
    const { auth, transfer } = await logIn();
    const list = async (token: string) => {
      const answer = await fetch(`${globus.endpoints.transfer}/ls?path=/data`, { headers: bearer(token) });
      return { status: answer.status, body: (await answer.json()) as Record<string, unknown> };
    };
    assert.equal((await list(transfer.access_token)).status, 200);
    assert.equal((await list("invented")).status, 401);
    const wrong = await list(auth.access_token);
    assert.equal(wrong.status, 403);
    assert.ok("required_scopes" in Object(wrong.body.authorization_parameters));

    globus.requireDomain(DOMAIN);
    const policy = await list(transfer.access_token);
    globus.requireDomain(undefined);
    assert.equal(policy.status, 403);
    assert.deepEqual(Object(policy.body.authorization_parameters).session_required_single_domain, [DOMAIN]);
  });

  test("each token is revoked by itself, refreshed by its own, and introspected", async () => {
    const { auth, transfer } = await logIn();
    const headers = basic(globus.clientId, globus.clientSecret);
    const ask = async (address: string, token: string) =>
      (await fetch(address, { method: "POST", headers, body: new URLSearchParams({ token }) })).json();
    const isActive = async (token: string) => Object(await ask(globus.endpoints.introspect, token)).active;
    assert.deepEqual(await ask(globus.endpoints.revoke, auth.refresh_token), { active: false });
    assert.deepEqual(
      await Promise.all([auth.refresh_token, auth.access_token, transfer.access_token].map(isActive)),
      [false, true, true],
    );
    const grant = { grant_type: "refresh_token", refresh_token: transfer.refresh_token };
    const fresh = (await (await exchange(grant)).json()) as Tokens;
    assert.equal(fresh.resource_server, "transfer.api.globus.org");
    assert.equal(await isActive(fresh.access_token), true);
    await ask(globus.endpoints.revoke, transfer.refresh_token);
    assert.equal((await exchange(grant)).status, 401);
  });
});

describe("the stand-in of GitHub", () => {
  let github: Github;
  before(async () => {
    github = await startGithub();
  });
  after(() => github.close());

  const tokenOf = async (person: string, scope: string): Promise<string> => {
    const { clientId, clientSecret, url } = github;
    const query = new URLSearchParams({ client_id: clientId, redirect_uri: CALLBACK, scope, state: "s" });
    const callback = await walkAs(`${url}/login/oauth/authorize?${query}`, person);
    const answer = await fetch(`${url}/login/oauth/access_token`, {
      method: "POST",
      body: new URLSearchParams({ client_id: clientId, client_secret: clientSecret, code: code(callback) }),
    });
    // Form-encoded, as nobody asked for JSON.
    return new URLSearchParams(await answer.text()).get("access_token") ?? "";
  };
  const ask = (path: string, token: string) =>
    fetch(`${github.url}/api/v3${path}`, { headers: bearer(token), redirect: "manual" });

  test("pages of teams, scopes told, and who may see a member", async () => {
    const ada = await tokenOf("ada", "read:org");
    const teams = await ask("/user/teams?per_page=2", ada);
    assert.match(teams.headers.get("link") ?? "", /page=2>; rel="next"/);
    assert.equal(teams.headers.get("x-oauth-scopes"), "read:org");
    assert.equal((await ask("/user/emails", ada)).status, 404, "needs a scope of its own");
    assert.equal((await ask(`/orgs/${ORGANIZATION}/members/ada`, ada)).status, 204);
    assert.equal((await ask(`/orgs/${ORGANIZATION}/members/bob`, ada)).status, 404);
    assert.equal((await ask(`/orgs/${ORGANIZATION}/teams/${TEAM}/members/eve`, ada)).status, 404);
    const bob = await tokenOf("bob", "read:org");
    assert.equal((await ask(`/orgs/${ORGANIZATION}/members/bob`, bob)).status, 302, "no member asks");
    const unscoped = await tokenOf("ada", "");
    assert.equal((await ask(`/orgs/${ORGANIZATION}/members/ada`, unscoped)).status, 302, "a private member");
  });

  test("nobody without User-Agent; a token ends when the application says so", async () => {
    const ada = await tokenOf("ada", "");
    const status = await new Promise((done, fail) =>
      request(`${github.url}/api/v3/user`, { headers: bearer(ada) }, (answer) => {
        answer.resume();
        done(answer.statusCode);
      })
        .once("error", fail)
        .end(),
    );
    assert.equal(status, 403);
    const application = `${github.url}/api/v3/applications/${github.clientId}/token`;
    const revoke = (secret: string) =>
      fetch(application, {
        method: "DELETE",
        headers: { ...basic(github.clientId, secret), "content-type": "application/json" },
        body: JSON.stringify({ access_token: ada }),
      });
    assert.equal((await revoke("a guess")).status, 404);
    assert.equal((await ask("/user", ada)).status, 200);
    assert.equal((await revoke(github.clientSecret)).status, 204);
    assert.equal((await ask("/user", ada)).status, 401);
  });
});
