import assert from "node:assert/strict";
import { after, before, beforeEach, describe, it } from "node:test";
import type { Liveness } from "@elara/runtime/liveness";
import { startHub, type TestHub } from "./fixtures/hub.ts";
import { type SpawnStandIn, spawnStandIn } from "./fixtures/spawn.ts";

const at = (second: number): string => `2026-11-22T12:00:0${second}.000Z`;

describe("the pages", () => {
  let hub: TestHub;
  let spawn: SpawnStandIn;
  let serverId: string;
  before(async () => {
    hub = await startHub({ hub: { contact: "help@uni.example" } });
    spawn = spawnStandIn(hub);
    await hub.people.user("root", { admin: true });
    await hub.people.user("ada");
    await hub.people.user("bob");
    const server = await hub.people.server("ada");
    serverId = server._id;
    await hub.people.steps(
      server,
      [
        { at: at(0), step: "requested", message: "Server requested", progress: 0 },
        { at: at(2), step: "process_started", message: "Process started, pid 4711", progress: 50 },
      ],
      ["starting <b>lab</b>", "No module named 'jupyterlab'"],
    );
  });
  after(() => hub.close());
  beforeEach(() => ready());

  const ready = () =>
    hub.people.changeServer(serverId, {
      phase: "ready",
      desired: "running",
      routed: true,
      cause: { code: "", message: "", operator: "", at: "" },
    });
  const starting = () =>
    hub.people.changeServer(serverId, { phase: "starting", desired: "running", routed: false });
  const stopped = () =>
    hub.people.changeServer(serverId, { phase: "stopped", desired: "stopped", routed: false });
  const failed = (code: string, message: string) =>
    hub.people.changeServer(serverId, {
      phase: "failed",
      desired: "stopped",
      routed: false,
      cause: { code, message, operator: "look there", at: at(3) },
    });
  const goesTo = async (user: string, url: string, headers = {}) => {
    const answer = await hub.browser(user, { method: "GET", url, headers });
    return [answer.statusCode, answer.headers.location];
  };

  it("send whoever is nobody to log in, keeping where to", async () => {
    for (const url of ["/hub/", "/hub/home", "/hub/user/ada/lab?x=1", "/hub/user-redirect/lab?x=1"]) {
      const answer = await hub.app.inject({ url });
      assert.deepEqual(
        [answer.statusCode, answer.headers.location],
        [302, `/hub/login?next=${encodeURIComponent(url)}`],
      );
    }
  });

  it("send / on to the hub, and what has no route below it", async () => {
    assert.deepEqual(await goesTo("ada", "/"), [302, "/hub/"]);
    assert.deepEqual(await goesTo("ada", "/hub"), [301, "/hub/"]);
    assert.deepEqual(await goesTo("ada", "/user/ada/lab%2Fx?y=1&y=2"), [
      302,
      "/hub/user/ada/lab%2Fx?y=1&y=2",
    ]);
    assert.equal(
      (await hub.browser("ada", { method: "POST", url: "/user/ada/api/kernels" })).statusCode,
      403,
    );
    const unknown = await hub.browser("ada", "/hub/no/such/page");
    assert.equal(unknown.statusCode, 404);
    assert.match(String(unknown.headers["content-type"]), /^text\/html/);
  });

  it("land at the own server, or where it starts", async () => {
    assert.deepEqual(await goesTo("ada", "/hub/"), [302, "/user/ada/"]);
    assert.deepEqual(await goesTo("bob", "/hub/"), [302, "/hub/spawn"]);
  });

  it("start at once and keep where to", async () => {
    const [status, location] = await goesTo("bob", "/hub/spawn?next=%2Fuser%2Fbob%2Flab%2Ftree%2Fa");
    assert.equal(status, 302);
    assert.equal(location, "/hub/spawn-pending/bob?next=%2Fuser%2Fbob%2Flab%2Ftree%2Fa");
    assert.equal(spawn.starts.at(-1)?.userName, "bob");
    assert.deepEqual(await goesTo("ada", "/hub/spawn"), [302, "/user/ada/"]);
    assert.deepEqual(await goesTo("ada", "/hub/spawn?next=//evil.example"), [302, "/user/ada/"]);
    assert.equal((await goesTo("ada", "/hub/spawn/root"))[0], 404);
  });

  it("show the steps of a start from the ledger, with their times, and what is to come", async () => {
    await starting();
    const page = await hub.browser("ada", "/hub/spawn-pending/ada");
    assert.equal(page.statusCode, 200);
    const steps = [...page.body.matchAll(/data-step="(\w+)"[\s\S]*?datetime="([^"]+)"/g)].map((match) =>
      match.slice(1),
    );
    assert.deepEqual(steps, [
      ["requested", at(0)],
      ["process_started", at(2)],
    ]);
    assert.match(page.body, /data-todo="port_answers"/);
    assert.match(
      page.body,
      /data-progress-url="\/hub\/api\/users\/ada\/server\/progress\?page&_xsrf=[\w.-]+"/,
    );
    assert.match(page.body, /pid 4711/);
    assert.doesNotMatch(page.body, /<script(?![^>]*nonce)/);
  });

  it("go on from the pending page once the server is ready", async () => {
    assert.deepEqual(await goesTo("ada", "/hub/spawn-pending/ada"), [302, "/user/ada/"]);
    assert.deepEqual(await goesTo("ada", "/hub/spawn-pending/ada?next=/user/ada/tree"), [
      302,
      "/user/ada/tree",
    ]);
  });

  it("tell a failure with sentence, code, output and status, to the owner", async () => {
    await failed("SPAWN_HTTP_TIMEOUT", "Your server started but never answered.");
    const page = await hub.browser("ada", "/hub/spawn-pending/ada");
    assert.equal(page.statusCode, 504);
    assert.match(page.body, /Your server started but never answered\./);
    assert.match(page.body, /SPAWN_HTTP_TIMEOUT/);
    assert.match(page.body, /starting &lt;b&gt;lab&lt;\/b&gt;\nNo module named/);
    assert.match(page.body, /id="retry" href="\/hub\/spawn\/ada"/);
    assert.doesNotMatch(page.body, /look there/);
    const plugin = await failed("LOCAL_COMMAND_NOT_FOUND", "The program is not there.").then(() =>
      hub.browser("ada", "/hub/spawn-pending/ada"),
    );
    assert.equal(plugin.statusCode, 500);
    assert.match(plugin.body, /LOCAL_COMMAND_NOT_FOUND/);
    assert.match((await hub.browser("root", "/hub/spawn-pending/ada")).body, /look there/);
  });

  it("tell whom to ask where it is the account that is wrong, and only there", async () => {
    const message = 'Your server would run as the account "ada", and there is none.';
    const cause = { code: "LOCAL_ACCOUNT_MISSING", message, operator: "", at: at(3) };
    const pageOf = async (status: number) => {
      await failed(cause.code, message);
      await hub.people.changeServer(serverId, { cause: { ...cause, status } });
      return (await hub.browser("ada", "/hub/spawn-pending/ada")).body;
    };
    assert.match(
      await pageOf(403),
      /administrators at <a href="mailto:help@uni\.example">help@uni\.example<\/a>/,
    );
    assert.doesNotMatch(await pageOf(503), /help@uni/);
  });

  it("tell why a server ended by itself, wherever its owner comes to look", async () => {
    const cause = {
      code: "SERVER_ENDED",
      message: "It took more memory than it may.",
      operator: "look there",
      at: at(3),
    };
    const ended = { phase: "stopped", desired: "stopped", routed: false, cause } as const;
    await hub.people.changeServer(serverId, ended);
    const named = await hub.people.server("bob", { ...ended, name: "lab2", path: "/user/bob/lab2/" });
    for (const [user, url] of [
      ["ada", "/hub/home"],
      ["ada", "/hub/spawn-pending/ada"],
      ["ada", "/hub/user/ada/lab"],
      ["bob", "/hub/home"],
      ["bob", "/hub/user/bob/lab2/lab"],
    ] as const) {
      const { body } = await hub.browser(user, url);
      assert.match(body, /It took more memory than it may\./, url);
      assert.match(body, /SERVER_ENDED/, url);
      assert.doesNotMatch(body, /look there/, url);
    }
    assert.match((await hub.browser("ada", "/hub/home")).body, />Ended by itself</);
    await hub.people.changeServer(named._id, { cause: { code: "", message: "", operator: "", at: "" } });
    await stopped();
    await hub.people.changeServer(serverId, { cause: { ...cause, code: "SPAWN_CANCELLED" } });
    for (const url of ["/hub/home", "/hub/spawn-pending/ada", "/hub/user/ada/lab"])
      assert.doesNotMatch((await hub.browser("ada", url)).body, /more memory/, "a cancel is no fault");
  });

  it("follow a stop, and a start that waits for it", async () => {
    await hub.people.changeServer(serverId, { phase: "stopping", desired: "stopped", routed: false });
    const stopping = await hub.browser("ada", "/hub/spawn-pending/ada");
    assert.match(stopping.body, /data-after="\/hub\/home"/);
    await hub.people.changeServer(serverId, { desired: "running" });
    const again = await hub.browser("ada", "/hub/spawn-pending/ada");
    assert.match(again.body, /starts again[\s\S]*/);
    assert.match(again.body, /data-after="\/hub\/spawn-pending\/ada"/);
  });

  it("show that nothing runs, with a way to start it", async () => {
    await stopped();
    const page = await hub.browser("ada", "/hub/user/ada/lab/tree/x.ipynb?y=1");
    assert.equal(page.statusCode, 424);
    assert.match(
      page.body,
      /href="\/hub\/spawn\/ada\?next=%2Fhub%2Fuser%2Fada%2Flab%2Ftree%2Fx\.ipynb%3Fy%3D1"/,
    );
    assert.equal((await hub.browser("ada", "/hub/spawn-pending/ada")).statusCode, 200);
  });

  it("tell programs in JSON that nothing runs", async () => {
    await stopped();
    const headers = { host: "hub.example:8000" };
    const asked = [
      await hub.browser("ada", { method: "GET", url: "/hub/user/ada/api/status", headers }),
      await hub.browser("ada", {
        method: "GET",
        url: "/hub/user/ada/lab",
        headers: { accept: "application/json", ...headers },
      }),
      await hub.api("ada", { method: "POST", url: "/hub/user/ada/api/kernels", headers }),
    ];
    for (const answer of asked) {
      assert.equal(answer.statusCode, 424);
      assert.match(
        answer.json().message,
        /^JupyterHub server no longer running at \/user\/ada\/\S+\. Restart the server at http:\/\/hub\.example:8000\/hub\/spawn\/ada$/,
      );
    }
  });

  it("send from a server's address to its start or failure meanwhile", async () => {
    await starting();
    const pending = "/hub/spawn-pending/ada?next=%2Fhub%2Fuser%2Fada%2Flab";
    assert.deepEqual(await goesTo("ada", "/hub/user/ada/lab"), [303, pending]);
    await failed("SPAWN_ENDED", "It ended.");
    assert.deepEqual(await goesTo("ada", "/hub/user/ada/lab"), [303, pending]);
  });

  it("send back to a server that is there, counting the rounds", async () => {
    assert.deepEqual(await goesTo("ada", "/hub/user/ada/some/where?x=1"), [
      302,
      "/user/ada/some/where?x=1&redirects=1",
    ]);
    const loop = await hub.browser("ada", "/hub/user/ada/x?redirects=4");
    assert.equal(loop.statusCode, 500);
    assert.match(loop.body, /Redirect loop detected\./);
  });

  it("do not show others' servers", async () => {
    for (const name of ["ada", "nobody"])
      assert.equal((await hub.browser("bob", `/hub/user/${name}/lab`)).statusCode, 404);
    assert.equal((await hub.browser("bob", "/hub/spawn-pending/ada")).statusCode, 404);
  });

  it("redirect everybody to the same place in the own server", async () => {
    assert.deepEqual(await goesTo("ada", "/hub/user-redirect/lab/tree/a.ipynb?q=1"), [
      302,
      "/hub/spawn/ada?next=%2Fuser%2Fada%2Flab%2Ftree%2Fa.ipynb%3Fq%3D1",
    ]);
  });

  it("stop by a form that carries its token, and by nothing else", async () => {
    const home = await hub.browser("ada", "/hub/home");
    const xsrf = /name="_xsrf" value="([^"]+)"/.exec(home.body)?.[1] ?? "";
    const cookie = String(home.headers["set-cookie"]).split(";")[0];
    const stop = (payload: string) =>
      hub.browser("ada", {
        method: "POST",
        url: "/hub/stop/ada",
        payload,
        headers: {
          "content-type": "application/x-www-form-urlencoded",
          cookie: `jupyterhub-hub-login=${"login-secret-of-ada-".padEnd(43, "x")}; ${cookie}`,
        },
      });
    const before = spawn.stops.length;
    assert.equal((await stop("")).statusCode, 403);
    assert.equal(spawn.stops.length, before);
    const stopping = await stop(`_xsrf=${encodeURIComponent(xsrf)}`);
    assert.deepEqual(
      [stopping.statusCode, stopping.headers.location],
      [303, "/hub/spawn-pending/ada?next=%2Fhub%2Fhome"],
    );
    assert.equal(spawn.stops.length, before + 1);
  });

  it("give the administration to administrators only", async () => {
    assert.equal((await hub.browser("ada", "/hub/admin")).statusCode, 403);
    const page = await hub.browser("root", "/hub/admin?name_filter=AD");
    assert.equal(page.statusCode, 200);
    assert.doesNotMatch(page.body, /aria-label="Start the server of (root|bob)"/);
    assert.match((await hub.browser("root", "/hub/admin?name_filter=da")).body, /Nobody found/);
    assert.match(page.body, /action="\/hub\/stop\/ada\?next=%2Fhub%2Fadmin%3Fname_filter%3DAD"/);
  });

  it("list users by stretches of names, forth and back", async (t) => {
    const many = await startHub();
    t.after(() => many.close());
    await many.people.user("root", { admin: true });
    for (let i = 100; i < 220; i += 1) await many.people.user(`u${i}`);
    const page = async (query: string) => {
      const { body } = await many.browser("root", `/hub/admin${query}`);
      const names = [...body.matchAll(/aria-label="Start the server of ([^"]*)"/g)].map(([, name]) => name);
      const link = (rel: string) =>
        new RegExp(`href="([^"]*)" rel="${rel}"`).exec(body)?.[1]?.replaceAll("&amp;", "&");
      return { names, previous: link("prev"), next: link("next") };
    };
    const first = await page("?name_filter=U");
    assert.deepEqual([first.names.length, first.names[0], first.previous], [50, "u100", undefined]);
    const second = await page(first.next ?? "");
    const third = await page(second.next ?? "");
    assert.deepEqual([third.names.length, third.names.at(-1), third.next], [20, "u219", undefined]);
    assert.deepEqual((await page(third.previous ?? "")).names, second.names);
    assert.deepEqual(await page(second.previous ?? ""), first);
  });

  it("serve style, scripts and the logo to anybody", async () => {
    const files = [
      "static/web.css",
      "static/elara.css",
      "static/pico.indigo.min.css",
      "static/pending.js",
      "logo",
    ];
    for (const file of files)
      assert.equal((await hub.app.inject({ url: `/hub/${file}` })).statusCode, 200, file);
    for (const url of [
      "/hub/static/../package.json",
      "/hub/static/",
      "/hub/static/nope.css",
      "/hub/static/..%2fx",
    ])
      assert.equal((await hub.app.inject({ url })).statusCode, 404, url);
  });

  it("have a page for the proxy's errors, always answered with 200", async () => {
    const page = await hub.app.inject({ url: "/hub/error/503?url=%2Fuser%2Fada" });
    assert.equal(page.statusCode, 200);
    assert.match(page.body, /503/);
  });
});

describe("pages below a base path", () => {
  it("stay below it", async (t) => {
    const hub = await startHub({ hub: { baseUrl: "/jhub/" } });
    t.after(() => hub.close());
    await hub.people.user("ada");
    await hub.people.server("ada");
    assert.equal((await hub.browser("ada", "/jhub/")).headers.location, "/jhub/hub/");
    assert.equal((await hub.browser("ada", "/jhub/hub/")).headers.location, "/jhub/user/ada/");
    assert.equal(
      (await hub.browser("ada", "/jhub/hub/user/ada/x")).headers.location,
      "/jhub/user/ada/x?redirects=1",
    );
    assert.equal((await hub.browser("ada", "/")).statusCode, 404);
    assert.equal((await hub.app.inject({ url: "/jhub/hub/api" })).statusCode, 200);
  });
});

describe("the way to a server that is ready", () => {
  it("is shown when every proxy knows it, not before", async (t) => {
    let routesUpTo = "";
    const proxy = {
      _id: "p",
      rev: 1,
      v: 1,
      service: "proxy",
      epoch: 1,
      address: "",
      beat: 1,
      startedAt: at(0),
    } as const;
    const liveness: Liveness = {
      isAlive: () => true,
      live: (service) =>
        service === "proxy" ? [{ ...proxy, stoppedAt: "", version: "1", digests: {}, routesUpTo }] : [],
      refresh: async () => undefined,
      close: () => undefined,
    };
    const hub = await startHub({ liveness });
    t.after(() => hub.close());
    await hub.people.user("ada");
    const server = await hub.people.server("ada");
    let isAnswered = false;
    const answer = hub.browser("ada", "/hub/spawn-pending/ada").finally(() => {
      isAnswered = true;
    });
    await new Promise((resolve) => setTimeout(resolve, 300));
    assert.equal(isAnswered, false);
    routesUpTo = server.changedAt;
    assert.equal((await answer).headers.location, "/user/ada/");
  });
});

describe("pages while the store is away", () => {
  it("answer 503 and say that notebooks go on", async () => {
    const hub = await startHub();
    await hub.people.user("ada");
    await hub.browser("ada", "/hub/home");
    await hub.store.close();
    const page = await hub.browser("ada", "/hub/home");
    assert.equal(page.statusCode, 503);
    assert.ok(Number(page.headers["retry-after"]) >= 1);
    assert.match(page.body, /running servers go on/i);
    await hub.close();
  });
});
