import assert from "node:assert/strict";
import { test } from "node:test";
import { ORGANIZATION, startGithub } from "@elara/beds/providers/github";
import { GROUP, startGlobus } from "@elara/beds/providers/globus";
import { startJupyterhub } from "../fixtures/jupyterhub.ts";
import { openTab, wordsOf } from "../fixtures/tab.ts";

test("unmodified oauthenticator on JupyterHub logs in at the stand-in of GitHub: members in, others 403", {
  timeout: 120_000,
}, async (t) => {
  const github = await startGithub();
  t.after(() => github.close());
  const hub = await startJupyterhub(
    "github",
    {
      scope: ["read:org", "user:email"],
      allowed_organizations: [ORGANIZATION],
      populate_teams_in_auth_state: true,
    },
    (callback) => ({
      GITHUB_URL: github.url,
      GITHUB_CLIENT_ID: github.clientId,
      GITHUB_CLIENT_SECRET: github.clientSecret,
      OAUTH_CALLBACK_URL: callback,
    }),
  );
  t.after(() => hub.close());

  const ada = openTab();
  const home = await ada.logInAs(`${hub.url}/hub/oauth_login?next=%2Fhub%2Fhome`, "ada");
  assert.equal(home.status, 200, hub.log().slice(-2000));
  assert.equal(new URL(home.url).pathname, "/hub/home");
  assert.match(wordsOf(home.html), /ada/);
  assert.deepEqual(github.liveTokens(), [
    { kind: "access", login: "ada", scopes: ["read:org", "user:email"] },
  ]);
  assert.ok(github.calls.some(({ path }) => path === "/api/v3/user/teams"));

  const bob = await openTab().logInAs(`${hub.url}/hub/oauth_login`, "bob");
  assert.equal(bob.status, 403);

  const refused = await openTab().visitProvider(`${hub.url}/hub/oauth_login`, "ada", { deny: true });
  assert.match(refused, /error=access_denied/);
});

test("unmodified oauthenticator on JupyterHub logs in at the stand-in of Globus: the group in, others 403, tokens revoked", {
  timeout: 120_000,
}, async (t) => {
  const globus = await startGlobus();
  t.after(() => globus.close());
  const { endpoints } = globus;
  const hub = await startJupyterhub(
    "globus",
    {
      authorize_url: endpoints.authorize,
      token_url: endpoints.token,
      userdata_url: endpoints.userinfo,
      client_id: globus.clientId,
      client_secret: globus.clientSecret,
      extra_authorize_params: { access_type: "offline" },
      revocation_url: endpoints.revoke,
      globus_groups_url: endpoints.groups,
      identity_provider: "uni.example",
      allowed_globus_groups: [GROUP],
      revoke_tokens_on_logout: true,
    },
    (callback) => ({ OAUTH_CALLBACK_URL: callback }),
  );
  t.after(() => hub.close());

  const ada = openTab();
  const home = await ada.logInAs(`${hub.url}/hub/oauth_login?next=%2Fhub%2Fhome`, "ada");
  assert.equal(home.status, 200, hub.log().slice(-2000));
  assert.match(wordsOf(home.html), /ada/);
  const held = globus.liveTokens();
  assert.equal(held.length, 6, "access and refresh tokens at auth, transfer and groups");

  assert.equal((await openTab().logInAs(`${hub.url}/hub/oauth_login`, "bob")).status, 403, "in no group");
  const eve = await openTab().logInAs(`${hub.url}/hub/oauth_login`, "eve");
  assert.equal(eve.status, 403, "in the group, of another identity provider");
  assert.match(wordsOf(eve.html), /restricted to uni\.example/);

  const before = globus.liveTokens().filter(({ username }) => username === "ada@uni.example").length;
  await ada.follow(`${hub.url}/hub/logout`);
  const left = globus.liveTokens().filter(({ username }) => username === "ada@uni.example");
  assert.equal(before - left.length, 2, "it revokes what it keeps in `tokens`: those of transfer");
  assert.ok(left.every(({ resourceServer }) => resourceServer !== "transfer.api.globus.org"));
});
