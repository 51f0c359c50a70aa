import assert from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";
import { after, before, beforeEach, describe, test } from "node:test";
import { AuthGrantServer, AuthRevokeServer } from "@elara/contracts";
import { digest } from "@elara/runtime/id";
import { type Browser, inputsOf } from "./browser.ts";
import { Stand } from "./stand.ts";

const VERIFIER = randomBytes(32).toString("base64url");
const CHALLENGE = createHash("sha256").update(VERIFIER).digest("base64url");

describe("the OAuth provider", () => {
  let stand: Stand;
  let ada: Browser;
  let bob: Browser;
  const secret = "0123456789abcdef0123456789abcdef";
  const server = (userId: string) => ({
    userId,
    serverId: "s1",
    serverName: "",
    generation: 1,
    tokenDigest: digest(secret),
    path: "/user/ada/",
  });

  before(async () => {
    stand = await Stand.open({ config: { adminUsers: ["root"] } });
    ada = await stand.loggedIn("ada");
    bob = await stand.loggedIn("bob");
    await stand.records.clients.insert({
      _id: "service-ext",
      v: 1,
      secretDigest: digest("ext-secret"),
      redirectUri: "https://ext.test/cb?x=1",
      description: "JupyterHub service ext",
      allowedScopes: ["read:users!user", "read:servers!user", "list:groups"],
      accessScope: "read:users:name!user",
      userId: "",
      serverId: "",
      generation: 0,
      noConfirm: false,
      createdAt: "2026-01-01T00:00:00.000Z",
    });
  });
  after(() => stand.close());
  beforeEach(async () => {
    const user = await stand.userNamed("ada");
    assert.deepEqual(await stand.order(AuthGrantServer, server(user?._id ?? "")), {
      clientId: "jupyterhub-user-ada",
    });
  });

  const authorizeUrl = (changes: Record<string, string | undefined> = {}) => {
    const query = new URLSearchParams();
    const all = {
      client_id: "jupyterhub-user-ada",
      redirect_uri: "/user/ada/oauth_callback",
      response_type: "code",
      state: "s t&=ä",
      code_challenge: CHALLENGE,
      code_challenge_method: "S256",
      ...changes,
    };
    for (const [name, value] of Object.entries(all)) if (value !== undefined) query.set(name, value);
    return `/hub/api/oauth2/authorize?${query}`;
  };
  const ext = (changes: Record<string, string | undefined> = {}) =>
    authorizeUrl({
      client_id: "service-ext",
      redirect_uri: "https://ext.test/cb?x=1",
      code_challenge: undefined,
      code_challenge_method: undefined,
      ...changes,
    });
  const locationOf = (answer: { statusCode: number; body: string; headers: { location?: unknown } }) => {
    assert.equal(answer.statusCode, 302, answer.body.slice(0, 300));
    return new URL(String(answer.headers.location), "http://hub.test");
  };
  const codeFor = async (browser = ada, url = authorizeUrl()) => {
    const code = locationOf(await browser.get(url)).searchParams.get("code");
    assert.match(code ?? "", /^[A-Za-z0-9]{30}$/);
    return code ?? "";
  };
  const swap = async (changes: Record<string, string | undefined>) => {
    const fields = {
      client_id: "jupyterhub-user-ada",
      client_secret: secret,
      grant_type: "authorization_code",
      redirect_uri: "/user/ada/oauth_callback",
      code_verifier: VERIFIER,
      ...changes,
    };
    const body = new URLSearchParams();
    for (const [name, value] of Object.entries(fields)) if (value !== undefined) body.set(name, value);
    const answer = await stand.app.inject({
      method: "POST",
      url: "/hub/api/oauth2/token",
      // As HubOAuth does, which is harmless.
      headers: { "content-type": "application/x-www-form-urlencoded", authorization: `token ${secret}` },
      payload: body.toString(),
    });
    return { status: answer.statusCode, body: answer.json(), headers: answer.headers };
  };

  test("a stranger is sent to the login and back", async () => {
    const location = locationOf(await stand.browser().get(authorizeUrl()));
    assert.equal(location.pathname, "/hub/login");
    assert.equal(location.searchParams.get("next"), authorizeUrl());
  });

  test("an API token opens no authorization", async () => {
    const answer = await stand.app.inject({
      url: authorizeUrl(),
      headers: { authorization: `token ${secret}` },
    });
    assert.equal(new URL(String(answer.headers.location), "http://x").pathname, "/hub/login");
  });

  test("the own server gets a code without asking, and swaps it for a token of this session", async () => {
    const location = locationOf(await ada.get(authorizeUrl()));
    assert.equal(location.pathname, "/user/ada/oauth_callback");
    assert.deepEqual([...location.searchParams.keys()], ["code", "state"]);
    assert.equal(location.searchParams.get("state"), "s t&=ä");
    const code = location.searchParams.get("code") ?? "";
    assert.equal(await stand.records.codes.get(code), undefined, "kept by its digest only");

    const { status, body, headers } = await swap({ code });
    assert.equal(status, 200);
    assert.equal(headers["cache-control"], "no-store");
    assert.equal(headers.pragma, "no-cache");
    assert.match(body.access_token, /^[A-Za-z0-9]{30}$/);
    assert.equal(body.expires_in, 1_209_600);
    assert.equal(body.token_type, "Bearer");
    assert.equal("refresh_token" in body, false);
    assert.deepEqual(body.scope.split(" ").sort(), [
      "access:servers!server=ada/",
      "read:users:groups!user",
      "read:users:name!user",
    ]);
    const token = await stand.records.tokens.get(digest(body.access_token));
    assert.equal(token?.kind, "oauth");
    assert.equal(token.sessionId, ada.cookie("jupyterhub-session-id"));
    assert.equal(token.clientId, "jupyterhub-user-ada");
  });

  test("a code works once; wrong tries before do not burn it", async () => {
    const code = await codeFor();
    const refusals: [Record<string, string | undefined>, number, object][] = [
      [{ client_secret: "wrong" }, 401, { error: "invalid_client" }],
      [{ client_id: "nobody" }, 401, { error: "invalid_client" }],
      [{ client_id: "service-ext", client_secret: "ext-secret" }, 400, { error: "invalid_grant" }],
      [
        { code_verifier: undefined },
        400,
        { error: "invalid_request", error_description: "Code verifier required." },
      ],
      [{ code_verifier: CHALLENGE }, 400, { error: "invalid_grant" }],
      [
        { redirect_uri: "/user/bob/oauth_callback" },
        400,
        { error: "invalid_request", error_description: "Mismatching redirect URI." },
      ],
      [{ grant_type: undefined }, 400, { error: "unsupported_grant_type" }],
      [{ code: undefined }, 400, { error: "invalid_request", error_description: "Missing code parameter." }],
      [{ code: "x".repeat(30) }, 400, { error: "invalid_grant" }],
    ];
    for (const [changes, status, error] of refusals) {
      const answer = await swap({ code, ...changes });
      assert.deepEqual([answer.status, answer.body], [status, error]);
    }
    assert.equal((await swap({ code })).status, 200);
    assert.deepEqual((await swap({ code })).body, { error: "invalid_grant" });
  });

  test("ten swaps at once give one token", async () => {
    const code = await codeFor();
    stand.meetAt("oauth_codes", 10);
    const answers = await Promise.all(Array.from({ length: 10 }, () => swap({ code })));
    assert.equal(answers.filter(({ status }) => status === 200).length, 1);
    assert.equal(answers.filter(({ body }) => body.error === "invalid_grant").length, 9);
  });

  test("a code dies after five minutes, with the log-out, and with the server", async () => {
    const eve = await stand.loggedIn("eve");
    const grant = async (generation: number) =>
      stand.order(AuthGrantServer, {
        ...server((await stand.userNamed("eve"))?._id ?? ""),
        serverId: "s9",
        generation,
        path: "/user/eve/",
        tokenDigest: digest(`eve-${generation}`),
      });
    const { clientId } = await grant(1);
    const url = authorizeUrl({
      client_id: clientId,
      redirect_uri: undefined,
      code_challenge: undefined,
      code_challenge_method: undefined,
    });
    const mine = { client_id: clientId, client_secret: "eve-1", redirect_uri: "/user/eve/oauth_callback" };
    const stale = await codeFor(eve, url);
    const ofSession = await codeFor(eve, url);
    await eve.get("/hub/logout");
    assert.deepEqual(
      (await swap({ ...mine, code: ofSession })).body,
      { error: "invalid_grant" },
      "after log-out",
    );
    const again = await stand.loggedIn("eve");
    const ofServer = await codeFor(again, url);
    await stand.order(AuthRevokeServer, { userId: "x", serverId: "s9", generation: 1 });
    assert.equal((await swap({ ...mine, code: ofServer })).status, 401, "after the server's end");
    await grant(2);
    const old = await codeFor(again, url);
    stand.advance(301);
    for (const code of [stale, old])
      assert.deepEqual((await swap({ ...mine, client_secret: "eve-2", code })).body, {
        error: "invalid_grant",
      });
  });

  test("a server removed and made anew during a swap is another one, whatever its name and generation", async () => {
    const zoe = await stand.loggedIn("zoe");
    const userId = (await stand.userNamed("zoe"))?._id ?? "";
    const grant = (serverId: string) =>
      stand.order(AuthGrantServer, {
        ...server(userId),
        serverId,
        path: "/user/zoe/",
        tokenDigest: digest(`zoe-${serverId}`),
      });
    const { clientId } = await grant("s21");
    const url = authorizeUrl({
      client_id: clientId,
      redirect_uri: undefined,
      code_challenge: undefined,
      code_challenge_method: undefined,
    });
    const code = await codeFor(zoe, url);
    stand.meetAt("oauth_codes", 2);
    const swapping = swap({
      client_id: clientId,
      client_secret: "zoe-s21",
      redirect_uri: "/user/zoe/oauth_callback",
      code_verifier: undefined,
      code,
    });
    await stand.atMeeting("oauth_codes");
    await stand.order(AuthRevokeServer, { userId, serverId: "s21", generation: 1 });
    assert.equal((await grant("s22")).clientId, clientId);
    stand.leaveMeeting("oauth_codes");
    assert.deepEqual((await swapping).body, { error: "invalid_grant" });
    const given = await stand.records.tokens.find({ where: { userId, kind: "oauth", revokedAt: "" } });
    assert.deepEqual(given.items, []);
  });

  test("both tokens of one generation are its secret: a crashed driver's submit may have got through", async () => {
    const kim = await stand.loggedIn("kim");
    const user = await stand.userNamed("kim");
    const grant = (token: string, generation: number) =>
      stand.order(AuthGrantServer, {
        userId: user?._id ?? "",
        serverId: "s8",
        serverName: "",
        generation,
        path: "/user/kim/",
        tokenDigest: digest(token),
      });
    const { clientId } = await grant("kim-first", 1);
    await grant("kim-second", 1);
    const url = authorizeUrl({
      client_id: clientId,
      redirect_uri: undefined,
      code_challenge: undefined,
      code_challenge_method: undefined,
    });
    const mine = { client_id: clientId, redirect_uri: "/user/kim/oauth_callback", code_verifier: undefined };
    for (const client_secret of ["kim-first", "kim-second"])
      assert.equal((await swap({ ...mine, client_secret, code: await codeFor(kim, url) })).status, 200);
    await grant("kim-third", 2);
    const late = await swap({ ...mine, client_secret: "kim-first", code: await codeFor(kim, url) });
    assert.equal(late.status, 401, "ended with its generation");
  });

  test("PKCE: plain, none, and what is not supported", async () => {
    const plain = await codeFor(
      ada,
      authorizeUrl({ code_challenge: VERIFIER, code_challenge_method: "plain" }),
    );
    assert.equal((await swap({ code: plain })).status, 200);
    const none = await codeFor(
      ada,
      authorizeUrl({ code_challenge: undefined, code_challenge_method: undefined }),
    );
    assert.equal((await swap({ code: none, code_verifier: undefined })).status, 200);
    const odd = locationOf(await ada.get(authorizeUrl({ code_challenge_method: "S512" })));
    assert.equal(odd.searchParams.get("error"), "invalid_request");
  });

  test("unknown client and wrong redirect end on a page; other faults go back to the client", async () => {
    const pages: [Record<string, string | undefined>, string][] = [
      [{ client_id: "nobody" }, "Invalid client_id parameter value."],
      [{ client_id: undefined }, "Invalid client_id parameter value."],
      [{ redirect_uri: "https://evil.test/cb" }, "Mismatching redirect URI."],
      [{ redirect_uri: "/user/ada/oauth_callback/" }, "Mismatching redirect URI."],
    ];
    for (const [changes, message] of pages) {
      const answer = await ada.get(authorizeUrl(changes));
      assert.equal(answer.statusCode, 400);
      assert.match(answer.headers["content-type"]?.toString() ?? "", /text\/html/);
      assert.ok(answer.body.includes(message));
      assert.equal(answer.headers.location, undefined);
    }
    for (const [changes, error] of [
      [{ response_type: "token" }, "unsupported_response_type"],
      [{ scope: "admin:users" }, "invalid_scope"],
      [{ scope: "no:such" }, "invalid_scope"],
    ] as const) {
      const { searchParams } = locationOf(await ada.get(authorizeUrl(changes)));
      assert.deepEqual([searchParams.get("error"), searchParams.get("state")], [error, "s t&=ä"]);
    }
  });

  test("who may not open the server gets 403, an administrator is asked first", async () => {
    const answer = await bob.get(authorizeUrl());
    assert.equal(answer.statusCode, 403);
    assert.match(answer.body, /You do not have permission to access Server at \/user\/ada\//);
    const root = await stand.loggedIn("root");
    const page = await root.get(authorizeUrl());
    assert.equal(page.statusCode, 200);
    assert.match(page.body, /Server at \/user\/ada\//);
  });

  test("a service is confirmed once; less may be given; without XSRF nothing is", async () => {
    const page = await bob.get(ext());
    assert.equal(page.statusCode, 200);
    const fields = inputsOf(page.body);
    const offered = fields.filter(([name]) => name === "scopes").map(([, value]) => value);
    assert.deepEqual(offered.sort(), [
      "read:servers!user",
      "read:users!user",
      "read:users:groups!user",
      "read:users:name!user",
    ]);
    assert.deepEqual(
      [...page.body.matchAll(/type="checkbox" name="scopes" value="([^"]*)" checked/g)].map(
        ([, scope]) => scope,
      ),
      ["read:users!user", "read:servers!user"],
      "what is not needed to know who it is can be left out",
    );
    assert.ok(fields.some(([name, value]) => name === "_xsrf" && value === bob.cookie("_xsrf")));

    assert.equal((await bob.post(ext(), { scopes: offered })).statusCode, 403);
    const _xsrf = bob.cookie("_xsrf") ?? "";
    const mine = {
      client_id: "service-ext",
      client_secret: "ext-secret",
      redirect_uri: "https://ext.test/cb?x=1",
      code_verifier: undefined,
    };
    const confirm = async (scopes: string[]) => {
      const location = locationOf(await bob.post(ext(), { _xsrf, scopes }));
      assert.equal(location.host, "ext.test");
      assert.equal(location.searchParams.get("x"), "1");
      return (await swap({ ...mine, code: location.searchParams.get("code") ?? "" })).body;
    };
    assert.deepEqual(
      (await confirm([])).scope.split(" ").sort(),
      ["read:users:groups!user", "read:users:name!user"],
      "nothing chosen: nothing but who it is",
    );
    assert.equal((await confirm(["read:users!user"])).scope.includes("read:servers"), false);
    assert.equal((await confirm(["read:users!user", "admin:users"])).scope.includes("admin:users"), false);
    assert.equal((await bob.get(ext())).statusCode, 200, "less was given, so it is asked again");
    assert.ok((await confirm(offered)).scope.includes("read:servers!user"));
    locationOf(await bob.get(ext()));

    const tokens = await bob.get("/hub/token");
    assert.match(tokens.body, /Authorized applications[\s\S]*JupyterHub service ext/);
    const id = /name="revoke" value="(a\d+)"/.exec(tokens.body)?.[1] ?? "";
    await bob.post("/hub/token", { _xsrf, revoke: id });
    assert.ok(
      !(await bob.get("/hub/token")).body.includes("Authorized applications"),
      "all of that client go",
    );
    assert.equal((await bob.get(ext())).statusCode, 200, "and it is asked again");
  });
});

test("PKCE can be demanded", async () => {
  const stand = await Stand.open({ config: { requirePkce: true } });
  const ada = await stand.loggedIn("ada");
  const userId = (await stand.userNamed("ada"))?._id ?? "";
  await stand.order(AuthGrantServer, {
    userId,
    serverId: "s1",
    serverName: "lab 2",
    generation: 1,
    tokenDigest: digest("x"),
    path: "/user/ada/lab%202/",
  });
  const query = new URLSearchParams({ client_id: "jupyterhub-user-ada-lab%202", response_type: "code" });
  const answer = await ada.get(`/hub/api/oauth2/authorize?${query}`);
  assert.equal(
    answer.headers.location,
    "/user/ada/lab%202/oauth_callback?error=invalid_request&error_description=Code+challenge+required.",
  );
  await stand.close();
});
