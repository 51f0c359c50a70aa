import assert from "node:assert/strict";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { describe, it } from "node:test";
import { apiUrlOf, HubSection, NetworkSection } from "@elara/runtime/config/hub";
import { Value } from "typebox/value";
import { SpawnConfig } from "../src/config.ts";
import { environmentOf } from "../src/environment.ts";
import { enter, freeze, fromUnknown, mayFollow, mustStop, phaseOf, thaw } from "../src/phases.ts";
import { answers } from "../src/probe.ts";
import { isServerName, serverPath } from "../src/server-path.ts";
import { base32, tagOf } from "../src/tag.ts";
import { newServerToken } from "../src/token.ts";

const clocks = { submitSeconds: 30, bootSeconds: 60, httpSeconds: 20, stopSeconds: 40 };
const now = Date.parse("2026-11-22T10:00:00.000Z");

describe("phases", () => {
  it("follow each other as the picture in the README says", () => {
    assert.ok(mayFollow("stopped", "requested"));
    assert.ok(mayFollow("requested", "starting"));
    assert.ok(mayFollow("ready", "ready"));
    assert.ok(!mayFollow("stopped", "ready"));
    assert.ok(!mayFollow("ready", "starting"));
    assert.ok(!mayFollow("failed", "ready"));
    assert.ok(!mayFollow("stopping", "ready"));
  });
  it("have a clock of their own, but queued, ready and unknown", () => {
    assert.equal(enter("requested", clocks, now).deadlineAt, "2026-11-22T10:00:30.000Z");
    assert.equal(enter("starting", clocks, now).deadlineAt, "2026-11-22T10:01:00.000Z");
    assert.equal(enter("starting", clocks, now, true).deadlineAt, "2026-11-22T10:00:20.000Z");
    assert.equal(enter("stopping", clocks, now).deadlineAt, "2026-11-22T10:00:40.000Z");
    for (const phase of ["queued", "ready", "unknown", "stopped"] as const)
      assert.equal(enter(phase, clocks, now).deadlineAt, "");
  });
  it("freeze and thaw with what was left, however often", () => {
    const running = { deadlineAt: "2026-11-22T10:00:30.000Z", clockLeftMs: 0 };
    const frozen = freeze(running, now);
    assert.deepEqual(frozen, { deadlineAt: "", clockLeftMs: 30_000 });
    assert.deepEqual(freeze(frozen, now + 5_000), frozen);
    assert.deepEqual(thaw(frozen, now + 100_000), {
      deadlineAt: "2026-11-22T10:02:10.000Z",
      clockLeftMs: 0,
    });
    assert.deepEqual(thaw({ deadlineAt: "", clockLeftMs: 0 }, now), { deadlineAt: "", clockLeftMs: 0 });
  });
  it("know what they were before unknown, and what still has to be stopped", () => {
    assert.equal(phaseOf({ phase: "unknown", phaseBefore: "starting" }), "starting");
    assert.equal(phaseOf({ phase: "ready", phaseBefore: "" }), "ready");
    assert.ok(mustStop({ phase: "failed", deadlineAt: "2026-11-22T10:00:30.000Z" }));
    assert.ok(!mustStop({ phase: "failed", deadlineAt: "" }));
    assert.ok(typeof fromUnknown === "function");
  });
});

describe("the tag", () => {
  it("is base32 as in RFC 4648, lower case", () => {
    assert.equal(base32(Buffer.from("foobar")), "mzxw6ytboi");
    assert.equal(base32(Buffer.from("foob")), "mzxw6yq");
  });
  it("is 28 characters, the same for the same generation and another for any other", () => {
    const key = Buffer.alloc(32, 1);
    const of = { hubId: "h", userId: "u", serverId: "s", generation: 1 };
    const tag = tagOf(key, of);
    assert.match(tag, /^[a-z2-7]{28}$/);
    assert.equal(tagOf(key, { ...of }), tag);
    const others = [
      tagOf(Buffer.alloc(32, 2), of),
      tagOf(key, { ...of, generation: 2 }),
      tagOf(key, { ...of, hubId: "hu", userId: "" }),
      tagOf(key, { ...of, serverId: "s2" }),
    ];
    assert.equal(new Set([tag, ...others]).size, 5);
  });
});

describe("a token", () => {
  it("is 32 hex characters, new each time, known to others by its SHA-256", () => {
    const { token, tokenDigest } = newServerToken();
    assert.match(token, /^[0-9a-f]{32}$/);
    assert.match(tokenDigest, /^[0-9a-f]{64}$/);
    assert.notEqual(newServerToken().token, token);
  });
});

describe("names and paths", () => {
  it("are JupyterHub's", () => {
    assert.equal(serverPath("/", "ada", ""), "/user/ada/");
    assert.equal(serverPath("/jhub/", "ada", "lab2"), "/jhub/user/ada/lab2/");
    assert.equal(serverPath("/", "ada@example.org", ""), "/user/ada@example.org/");
    assert.equal(serverPath("/", "a+b'c", ""), "/user/a%2Bb%27c/");
  });
  it("of servers are short and plain", () => {
    for (const name of ["", "a", "lab2", "my-lab-3", "x".repeat(30)]) assert.ok(isServerName(name), name);
    for (const name of ["api", "lab", "2lab", "Lab", "a-", "a--b", "a_b", "a b", "../x", "x".repeat(31)])
      assert.ok(!isServerName(name), name);
  });
});

describe("the environment of a server", () => {
  const hub = {
    ...Value.Create(HubSection),
    hubId: "h",
    network: { ...Value.Create(NetworkSection), internalUrl: "http://127.0.0.1:18081" },
  };
  const config = Value.Create(SpawnConfig);
  const environment = (
    server: { userName: string; name: string; path: string },
    more: Partial<typeof hub> = {},
    configured: Partial<SpawnConfig> = {},
  ) => {
    const given = { ...hub, ...more };
    return environmentOf({
      logIn: {},
      hub: given,
      config: { ...config, ...configured },
      server: { ...server, apiUrl: apiUrlOf(given) },
      token: "0".repeat(32),
      clientId: `jupyterhub-user-${server.userName}${server.name === "" ? "" : `-${server.name}`}`,
    });
  };

  it("is what JupyterHub 6.1.1 hands to a default server, but for what a backend adds (PATH, HOME …)", () => {
    assert.deepEqual(environment({ userName: "alice", name: "", path: "/user/alice/" }), {
      JPY_API_TOKEN: "0".repeat(32),
      JUPYTERHUB_ACTIVITY_URL: "http://127.0.0.1:18081/hub/api/users/alice/activity",
      JUPYTERHUB_API_TOKEN: "0".repeat(32),
      JUPYTERHUB_API_URL: "http://127.0.0.1:18081/hub/api",
      JUPYTERHUB_BASE_URL: "/",
      JUPYTERHUB_CLIENT_ID: "jupyterhub-user-alice",
      JUPYTERHUB_COOKIE_HOST_PREFIX_ENABLED: "0",
      JUPYTERHUB_DEFAULT_URL: "/lab",
      JUPYTERHUB_HOST: "",
      JUPYTERHUB_OAUTH_ACCESS_SCOPES: '["access:servers!server=alice/", "access:servers!user=alice"]',
      JUPYTERHUB_OAUTH_CALLBACK_URL: "/user/alice/oauth_callback",
      JUPYTERHUB_OAUTH_CLIENT_ALLOWED_SCOPES: "[]",
      JUPYTERHUB_OAUTH_SCOPES: '["access:servers!server=alice/", "access:servers!user=alice"]',
      JUPYTERHUB_PUBLIC_HUB_URL: "",
      JUPYTERHUB_PUBLIC_URL: "",
      JUPYTERHUB_SERVER_NAME: "",
      JUPYTERHUB_SERVICE_PREFIX: "/user/alice/",
      JUPYTERHUB_USER: "alice",
    });
  });

  it("is what JupyterHub hands to a named server", () => {
    const env = environment({ userName: "bob", name: "lab2", path: "/user/bob/lab2/" });
    assert.equal(env.JUPYTERHUB_ACTIVITY_URL, "http://127.0.0.1:18081/hub/api/users/bob/activity");
    assert.equal(env.JUPYTERHUB_OAUTH_CALLBACK_URL, "/user/bob/lab2/oauth_callback");
    assert.equal(
      env.JUPYTERHUB_OAUTH_SCOPES,
      '["access:servers!server=bob/lab2", "access:servers!user=bob"]',
    );
    assert.equal(env.JUPYTERHUB_SERVER_NAME, "lab2");
    assert.equal(env.JUPYTERHUB_SERVICE_PREFIX, "/user/bob/lab2/");
  });

  it("carries base URL and public URL", () => {
    const server = { userName: "zed", name: "", path: "/jhub/user/zed/" };
    const env = environment(server, { baseUrl: "/jhub/", publicUrl: "https://hub.example.org" });
    assert.equal(env.JUPYTERHUB_API_URL, "http://127.0.0.1:18081/jhub/hub/api");
    assert.equal(env.JUPYTERHUB_BASE_URL, "/jhub/");
    assert.equal(env.JUPYTERHUB_HOST, "https://hub.example.org");
    assert.equal(env.JUPYTERHUB_OAUTH_CALLBACK_URL, "/jhub/user/zed/oauth_callback");
    assert.equal(env.JUPYTERHUB_PUBLIC_HUB_URL, "https://hub.example.org/jhub/hub/");
    assert.equal(env.JUPYTERHUB_PUBLIC_URL, "https://hub.example.org/jhub/user/zed/");
  });

  it("is overruled by the configuration", () => {
    const server = { userName: "zed", name: "", path: "/user/zed/" };
    const env = environment(server, {}, { environment: { JUPYTERHUB_DEFAULT_URL: "/tree" }, defaultUrl: "" });
    assert.equal(env.JUPYTERHUB_DEFAULT_URL, "/tree");
  });
});

describe("the look at a server's port", () => {
  const listen = async (status: () => number) => {
    const paths: string[] = [];
    const server = createServer((request, response) => {
      paths.push(request.url ?? "");
      response.writeHead(status(), { location: "http://127.0.0.1:1/" }).end();
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const { port } = server.address() as AddressInfo;
    return { paths, url: `http://127.0.0.1:${port}`, close: () => server.close() };
  };
  const quick = { first: 1, longest: 5 };

  it("takes any status below 500, redirects not followed, and retries above", async () => {
    for (const status of [200, 302, 404]) {
      const server = await listen(() => status);
      assert.equal(
        await answers(server.url, "/user/ada/", { ...quick, signal: AbortSignal.timeout(5_000) }),
        true,
      );
      assert.deepEqual(server.paths, ["/user/ada/api"]);
      server.close();
    }
    let tries = 0;
    const server = await listen(() => (++tries < 4 ? 503 : 200));
    assert.equal(
      await answers(server.url, "/user/ada/", { ...quick, signal: AbortSignal.timeout(5_000) }),
      true,
    );
    assert.equal(tries, 4);
    server.close();
  });

  it("ends when it is told to", async () => {
    const server = await listen(() => 500);
    assert.equal(await answers(server.url, "/", { ...quick, signal: AbortSignal.timeout(50) }), false);
    server.close();
    assert.equal(await answers(server.url, "/", { ...quick, signal: AbortSignal.timeout(50) }), false);
  });
});
