import assert from "node:assert/strict";
import { afterEach, beforeEach, describe, test } from "node:test";
import {
  AuthCreateUser,
  AuthDeleteUser,
  AuthGrantProbe,
  AuthGrantServer,
  AuthRevokeServer,
  AuthUpdateUser,
  codeOf,
  servers,
} from "@elara/contracts";
import { readyServer } from "@elara/contracts/testing";
import { digest } from "@elara/runtime/id";
import { Stand, until } from "./stand.ts";

const ACTOR = "system:test";

describe("orders", () => {
  let stand: Stand;
  beforeEach(async () => {
    stand = await Stand.open({ config: { adminUsers: ["root"] } });
  });
  afterEach(() => stand.close());

  const create = (name: string, admin = false) => stand.order(AuthCreateUser, { name, admin, actor: ACTOR });
  const grant = (userId: string, changes: object = {}) =>
    stand.order(AuthGrantServer, {
      userId,
      serverId: "s1",
      serverName: "",
      generation: 1,
      tokenDigest: digest("t1"),
      path: "/user/ada/",
      ...changes,
    });
  const addServer = (userId: string) =>
    stand.store
      .collection(servers)
      .insert(readyServer({ _id: "s1", userId, userName: "ada", generation: 3 }));
  const refusal = (work: Promise<unknown>) => work.then(() => "accepted", codeOf);

  describe("auth.grant_server", () => {
    test("makes token and client; a repeated order is the same; the next generation replaces both", async () => {
      const { userId } = await create("ada");
      assert.deepEqual(await grant(userId), { clientId: "jupyterhub-user-ada" });
      assert.deepEqual(await grant(userId), { clientId: "jupyterhub-user-ada" });
      const token = await stand.records.tokens.get(digest("t1"));
      assert.equal(token?.kind, "server");
      assert.equal(token.note, "Server at /user/ada/");
      assert.deepEqual(token.scopes, ["users:activity!user", "access:servers!server=ada/"]);
      const client = await stand.records.clients.get("jupyterhub-user-ada");
      assert.equal(client?.secretDigest, digest("t1"));
      assert.equal(client.redirectUri, "/user/ada/oauth_callback");
      await grant(userId, { generation: 2, tokenDigest: digest("t2") });
      assert.notEqual((await stand.records.tokens.get(digest("t1")))?.revokedAt, "");
      assert.equal((await stand.records.tokens.get(digest("t2")))?.revokedAt, "");
      assert.equal((await stand.records.clients.get("jupyterhub-user-ada"))?.secretDigest, digest("t2"));
      const late = grant(userId, { tokenDigest: digest("t0") });
      assert.equal(await refusal(late), "STORE_CONFLICT", "a late order of an earlier generation");
      assert.equal((await stand.records.clients.get("jupyterhub-user-ada"))?.secretDigest, digest("t2"));
    });

    test("client ids are quoted, and never shared by two servers", async () => {
      const one = await create("a@x.org");
      assert.equal(
        (await grant(one.userId, { serverName: "lab2" })).clientId,
        "jupyterhub-user-a%40x.org-lab2",
      );
      const [a, ab] = [await create("a"), await create("a-b")];
      const first = await grant(a.userId, { serverId: "sa", serverName: "b", tokenDigest: digest("ta") });
      const second = await grant(ab.userId, { serverId: "sab", tokenDigest: digest("tab") });
      assert.equal(first.clientId, "jupyterhub-user-a-b");
      assert.notEqual(second.clientId, first.clientId);
      assert.equal(
        (await grant(ab.userId, { serverId: "sab", tokenDigest: digest("tab") })).clientId,
        second.clientId,
      );
    });

    test("is refused for who is being deleted or unknown", async () => {
      const { userId } = await create("ada");
      stand.serversLeft.set(userId, 1);
      await stand.order(AuthDeleteUser, { userId, actor: ACTOR });
      assert.equal(await refusal(grant(userId)), "USER_DELETING");
      assert.equal(await stand.records.clients.count(), 0);
      assert.equal(await refusal(grant("nobody")), "USER_NOT_FOUND");
    });
  });

  test("auth.revoke_server ends token and client up to a generation, and no later one", async () => {
    const { userId } = await create("ada");
    await grant(userId, { generation: 2, tokenDigest: digest("t2") });
    const revoke = (generation: number) =>
      stand.order(AuthRevokeServer, { userId, serverId: "s1", generation });
    assert.deepEqual(await revoke(1), { revoked: 0 });
    assert.ok(await stand.records.clients.get("jupyterhub-user-ada"));
    assert.deepEqual(await revoke(2), { revoked: 1 });
    assert.deepEqual(await revoke(2), { revoked: 0 });
    assert.equal(await stand.records.clients.get("jupyterhub-user-ada"), undefined);
    assert.equal((await stand.api("t2", "GET", "/users/ada/tokens")).status, 403);
  });

  test("auth.grant_probe opens one server for a minute, without an event", async () => {
    const { userId } = await create("ada");
    const probe = (generation: number) =>
      stand.order(AuthGrantProbe, {
        userId,
        serverId: "s1",
        generation,
        tokenDigest: digest("probe"),
        actor: "system:culler",
      });
    assert.equal(await refusal(probe(3)), "SERVER_NOT_FOUND");
    await addServer(userId);
    const { expiresAt } = await probe(3);
    assert.ok(Date.parse(expiresAt) - stand.clock.now() <= 60_000);
    const token = await stand.records.tokens.get(digest("probe"));
    assert.deepEqual(token?.scopes, ["access:servers!server=ada/"]);
    assert.equal(token?.pendingSince, "");
    assert.ok(token?.note.startsWith("Server at "));
  });

  describe("users", () => {
    test("are created once by one order, refused by another, and told of", async () => {
      const order = { name: " Ada ", admin: true, actor: ACTOR };
      const first = await stand.bus.request(AuthCreateUser, order, { orderId: "o1" });
      assert.equal(first.name, "ada");
      assert.deepEqual(await stand.bus.request(AuthCreateUser, order, { orderId: "o1" }), first);
      assert.equal(await refusal(create("ada")), "USER_EXISTS");
      for (const name of ["", "a/b", "..", "-x"])
        assert.equal(await refusal(create(name)), "USER_NAME_INVALID");
      const event = await stand.event("user.created");
      assert.deepEqual(
        [event.actor, event.data],
        [ACTOR, { userId: first.userId, name: "ada", admin: true }],
      );
    });

    test("made by an administrator belong to the first who logs in under the name", async () => {
      const { userId } = await create("ada");
      await stand.loggedIn("ada");
      assert.equal((await stand.userNamed("ada"))?._id, userId);
    });

    test("admin flag: changes are marked and told, and old tokens lose what it gave", async () => {
      const { userId } = await create("ada", true);
      const browser = await stand.loggedIn("ada");
      const made = await browser.send(
        "POST",
        "/hub/api/users/ada/tokens",
        {},
        { "x-xsrftoken": browser.cookie("_xsrf") ?? "" },
      );
      assert.ok(made.json().scopes.includes("admin:users"));
      await stand.order(AuthUpdateUser, { userId, admin: false, actor: ACTOR });
      const user = await stand.userNamed("ada");
      assert.equal(user?.admin, false);
      assert.notEqual(user?.accessChangedAt, "");
      await stand.event("user.updated", ({ data }) => String(data.changed) === "claimed");
      const event = await stand.event("user.updated", ({ data }) => String(data.changed) === "admin");
      assert.equal(event.data.admin, false);
      const { body } = await stand.api(made.json().token, "GET", "/users/ada/tokens");
      assert.ok(!body.api_tokens[0].scopes.includes("admin:users"));
    });

    test("renamed keep their login, the old name is reserved; with servers they keep the name", async () => {
      await stand.loggedIn("ada");
      const userId = (await stand.userNamed("ada"))?._id ?? "";
      await create("taken");
      const rename = (name: string) => stand.order(AuthUpdateUser, { userId, name, actor: ACTOR });
      assert.equal(await refusal(rename("taken")), "USER_EXISTS");
      assert.deepEqual(await rename("lovelace"), { userId, name: "lovelace" });
      assert.equal(await refusal(create("ada")), "USER_EXISTS");
      await stand.loggedIn("ada");
      assert.equal((await stand.userNamed("lovelace"))?._id, userId);
      await addServer(userId);
      assert.equal(await refusal(rename("countess")), "USER_HAS_SERVERS");
    });
  });

  describe("deletion", () => {
    test("shuts every door at once, waits for the servers, then leaves a reserved name for a day", async () => {
      const browser = await stand.loggedIn("ada");
      const made = await browser.send(
        "POST",
        "/hub/api/users/ada/tokens",
        {},
        { "x-xsrftoken": browser.cookie("_xsrf") ?? "" },
      );
      const userId = (await stand.userNamed("ada"))?._id ?? "";
      await grant(userId);
      stand.serversLeft.set(userId, 1);

      await stand.order(AuthDeleteUser, { userId, actor: ACTOR });
      assert.equal((await stand.api(made.json().token, "GET", "/users/ada/tokens")).status, 403);
      assert.equal((await browser.get("/hub/token")).statusCode, 302);
      const refused = await stand.browser().login("ada", "ada-secret");
      assert.match(refused.body, /being deleted/);
      await until("servers are purged", () => stand.purges.includes(userId) || undefined);
      assert.equal((await stand.userNamed("ada"))?.deletedAt, "");

      stand.serversLeft.set(userId, 0);
      await stand.event("user.deleted", ({ data }) => data.userId === userId);
      assert.equal(await stand.records.identities.count({ userId }), 0);
      assert.equal(await stand.records.clients.count({ userId }), 0);
      assert.match((await stand.browser().login("ada", "ada-secret")).body, /was deleted/);
      assert.equal(await refusal(create("ada")), "USER_EXISTS");
      const remove = (id: string) => stand.order(AuthDeleteUser, { userId: id, actor: ACTOR });
      assert.deepEqual(await remove(userId), { userId }, "an order that is repeated finds its work done");
      assert.equal(await refusal(remove("nobody")), "USER_NOT_FOUND");
    });
  });
});
