import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { AuthCreateUser } from "@elara/contracts";
import { startHub, type TestHub } from "./fixtures/hub.ts";

const MICROSECONDS = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{6})?Z$/;

describe("the REST API, reading", () => {
  let hub: TestHub;
  before(async () => {
    hub = await startHub();
    await hub.people.user("root", { admin: true });
    await hub.people.user("ada");
    await hub.people.user("bob");
    await hub.people.server("ada", { options: { image: "x" } });
    await hub.people.server("ada", {
      name: "lab2",
      phase: "stopped",
      desired: "stopped",
      routed: false,
      url: "",
    });
  });
  after(() => hub.close());

  it("tells its version to anybody, from anywhere", async () => {
    for (const url of ["/hub/api", "/hub/api/"]) {
      const answer = await hub.app.inject({ url });
      assert.deepEqual(answer.json(), { version: "6.1.1" });
      assert.equal(answer.headers["access-control-allow-origin"], "*");
      assert.equal(answer.headers["x-jupyterhub-version"], "6.1.1");
    }
  });

  it("answers health without a body", async () => {
    for (const url of ["/hub/health", "/hub/api/health"])
      for (const method of ["GET", "HEAD"] as const) {
        const answer = await hub.app.inject({ method, url });
        assert.deepEqual([answer.statusCode, answer.body], [200, ""]);
      }
  });

  it("says who a token belongs to", async () => {
    const model = (await hub.api("ada", { url: "/hub/api/user" })).json();
    assert.equal(model.kind, "user");
    assert.equal(model.name, "ada");
    assert.equal(model.admin, false);
    assert.deepEqual(model.groups, []);
    assert.equal(model.user_info, null);
    assert.match(model.token_id, /^a\d+$/);
    assert.equal(model.server, "/user/ada/");
    assert.ok(model.scopes.includes("access:servers!user=ada"));
    assert.deepEqual(model.scopes, [...model.scopes].sort());
  });

  it("tells a single-user server what it asks for, and no more", async () => {
    const token = await hub.people.token("ada", { scopes: ["access:servers!server=ada/"] });
    const answer = await hub.app.inject({
      url: "/hub/api/user",
      headers: { authorization: `token ${token}` },
    });
    const { token_id, ...model } = answer.json();
    assert.match(token_id, /^a\d+$/);
    assert.deepEqual(model, {
      kind: "user",
      name: "ada",
      admin: false,
      groups: [],
      user_info: null,
      session_id: null,
      scopes: ["access:servers!server=ada/", "read:users:groups!user=ada", "read:users:name!user=ada"],
    });
  });

  it("refuses whoever is nobody", async () => {
    const answer = await hub.app.inject({
      url: "/hub/api/user",
      headers: { authorization: "token nonsense" },
    });
    assert.equal(answer.statusCode, 403);
    assert.equal(answer.json().status, 403);
  });

  it("shows a user as JupyterHub does, field by field", async () => {
    const model = (await hub.api("root", { url: "/hub/api/users/ada" })).json();
    assert.deepEqual(Object.keys(model).sort(), [
      "admin",
      "auth_state",
      "created",
      "groups",
      "kind",
      "last_activity",
      "name",
      "pending",
      "roles",
      "server",
      "servers",
      "user_info",
    ]);
    assert.deepEqual(model.roles, ["user"]);
    assert.match(model.created, MICROSECONDS);
    assert.deepEqual(Object.keys(model.servers), [""]);
    const { started, last_activity, state, ...server } = model.servers[""];
    assert.match(started, MICROSECONDS);
    assert.match(last_activity, MICROSECONDS);
    assert.deepEqual(state, {});
    assert.deepEqual(server, {
      name: "",
      display_name: "",
      full_name: "ada/",
      pending: null,
      ready: true,
      stopped: false,
      url: "/user/ada/",
      user_options: { image: "x" },
      progress_url: "/hub/api/users/ada/server/progress",
      full_url: null,
      full_progress_url: null,
      reason: null,
      ends_at: null,
    });
  });

  it("shows stopped servers when asked to", async () => {
    const model = (await hub.api("root", { url: "/hub/api/users/ada?include_stopped_servers=1" })).json();
    assert.deepEqual(Object.keys(model.servers).sort(), ["", "lab2"]);
    assert.equal(model.servers.lab2.stopped, true);
    assert.equal(model.servers.lab2.started, null);
    assert.equal(model.servers.lab2.progress_url, "/hub/api/users/ada/servers/lab2/progress");
  });

  it("shows only what the scopes of a token allow", async () => {
    const token = await hub.people.token("root", { scopes: ["read:users:activity"] });
    const answer = await hub.app.inject({
      url: "/hub/api/users/ada",
      headers: { authorization: `Bearer ${token}` },
    });
    assert.deepEqual(Object.keys(answer.json()).sort(), ["kind", "last_activity", "name"]);
  });

  it("hides others from an ordinary user, existing or not", async () => {
    for (const name of ["bob", "nobody"]) {
      const answer = await hub.api("ada", { url: `/hub/api/users/${name}` });
      assert.equal(answer.statusCode, 404);
      assert.equal(answer.json().message, "No access to resources or resources not found");
    }
    assert.equal((await hub.api("ada", { url: "/hub/api/users" })).statusCode, 403);
  });

  it("lists users by state, name and order", async () => {
    const names = async (query: string) =>
      (await hub.api("root", { url: `/hub/api/users?${query}` }))
        .json()
        .map((user: { name: string }) => user.name);
    assert.deepEqual(await names(""), ["root", "ada", "bob"]);
    assert.deepEqual(await names("sort=-name"), ["root", "bob", "ada"]);
    assert.deepEqual(await names("state=active"), ["ada"]);
    assert.deepEqual(await names("state=ready"), ["ada"]);
    assert.deepEqual(await names("state=inactive&sort=name"), ["bob", "root"]);
    assert.deepEqual(await names("name_filter=O&sort=name"), ["bob", "root"]);
    assert.deepEqual(await names("sort=last_activity"), ["bob", "ada", "root"]);
    assert.deepEqual(await names("sort=-last_activity"), ["root", "ada", "bob"]);
  });

  it("answers a new user under the name that auth gave", async (t) => {
    const own = await startHub();
    t.after(() => own.close());
    await own.people.user("root", { admin: true });
    own.bus.reply(AuthCreateUser, async ({ name }) => {
      const kept = name.trim().toLowerCase();
      return { userId: await own.people.user(kept), name: kept };
    });
    const answer = await own.api("root", { method: "POST", url: "/hub/api/users/Grace" });
    assert.deepEqual([answer.statusCode, answer.json().name], [201, "grace"]);
    const again = await own.api("root", { method: "POST", url: "/hub/api/users/GRACE" });
    assert.equal(again.statusCode, 409);
  });

  it("pages when asked by JupyterHub's media type", async () => {
    const answer = await hub.api("root", {
      url: "/hub/api/users?limit=2&sort=name",
      headers: { accept: "application/jupyterhub-pagination+json", host: "hub.example:8000" },
    });
    const { items, _pagination } = answer.json();
    assert.deepEqual(
      items.map((user: { name: string }) => user.name),
      ["ada", "bob"],
    );
    assert.deepEqual(_pagination, {
      offset: 0,
      limit: 2,
      total: 3,
      next: {
        offset: 2,
        limit: 2,
        url: "http://hub.example:8000/hub/api/users?limit=2&sort=name&offset=2",
      },
    });
  });

  it("refuses wrong list parameters in JupyterHub's words", async () => {
    const message = async (query: string) =>
      (await hub.api("root", { url: `/hub/api/users?${query}` })).json().message;
    assert.equal(await message("state=foo"), "Unrecognized state filter: 'foo'");
    assert.equal(await message("sort=foo"), "sort must be 'id', 'name', or 'last_activity', not 'foo'");
    assert.equal(await message("limit=x"), "Invalid argument type, offset and limit must be integers");
  });

  it("shows the routing table from the ledger", async () => {
    const table = (await hub.api("root", { url: "/hub/api/proxy" })).json();
    assert.deepEqual(Object.keys(table), ["/", "/user/ada/"]);
    assert.equal(table["/"].data.hub, true);
    const route = table["/user/ada/"];
    assert.equal(route.routespec, "/user/ada/");
    assert.equal(route.target, "http://127.0.0.1:40000");
    assert.equal(route.data.user, "ada");
    assert.equal(route.data.server_name, "");
  });

  it("passes requests for tokens to auth unread", async () => {
    const answer = await hub.app.inject({
      method: "POST",
      url: "/hub/api/users/ada/tokens",
      payload: { note: "x" },
    });
    assert.deepEqual(answer.json(), { service: "auth", url: "/hub/api/users/ada/tokens", method: "POST" });
  });

  it("has no groups and no services yet", async () => {
    assert.deepEqual((await hub.api("root", { url: "/hub/api/groups" })).json(), []);
    assert.deepEqual((await hub.api("root", { url: "/hub/api/services" })).json(), {});
    const group = await hub.api("root", { url: "/hub/api/groups/g4" });
    assert.deepEqual([group.statusCode, group.json().message], [404, "No such group: g4"]);
  });

  it("answers unknown paths and wrong methods in JSON", async () => {
    const unknown = await hub.app.inject({ url: "/hub/api/no/such/thing" });
    assert.equal(unknown.statusCode, 404);
    assert.equal(unknown.json().status, 404);
    const wrong = await hub.api("root", { method: "DELETE", url: "/hub/api/groups" });
    assert.equal(wrong.statusCode, 405);
    assert.equal((await hub.app.inject({ method: "OPTIONS", url: "/hub/api/users" })).statusCode, 200);
  });
});
