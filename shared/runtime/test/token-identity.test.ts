import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { visibleFields } from "../src/scopes/fields.ts";
import { testApp } from "./fixtures/app.ts";
import { addServer, addToken, addUser } from "./fixtures/people.ts";

describe("the identity a single-user server is told", () => {
  it("comes out like JupyterHub's for a token given by OAuth", async (t) => {
    const { store, identities, close } = await testApp();
    t.after(close);
    await addUser(store, "alice");
    await addToken(store, "given", "alice", {
      kind: "oauth",
      publicId: "a6",
      sessionId: "0123456789abcdef0123456789abcdef",
      scopes: ["read:users:name!user", "access:servers!server=alice/", "read:users:groups!user"],
    });
    const identity = await identities.byToken("given");
    assert.ok(identity);
    assert.deepEqual(identity.scopes.list(), [
      "access:servers!server=alice/",
      "read:users:groups!user=alice",
      "read:users:name!user=alice",
    ]);
    assert.deepEqual(
      [identity.tokenId, identity.sessionId, identity.groups, identity.admin],
      ["a6", "0123456789abcdef0123456789abcdef", [], false],
    );
    assert.deepEqual([...visibleFields("user", identity.scopes, { user: "alice" })].sort(), [
      "admin",
      "groups",
      "kind",
      "name",
      "user_info",
    ]);
  });

  it("holds for a server's own token exactly activity of its user and access to itself", async (t) => {
    const { store, identities, close } = await testApp();
    t.after(close);
    await addUser(store, "alice");
    const server = await addServer(store, "alice", "lab2");
    await addToken(store, "own", "alice", {
      kind: "server",
      serverId: server._id,
      scopes: ["users:activity!user", "access:servers!server"],
    });
    const identity = await identities.byToken("own");
    assert.deepEqual(identity?.scopes.list(), [
      "access:servers!server=alice/lab2",
      "read:users:activity!user=alice",
      "read:users:groups!user=alice",
      "read:users:name!user=alice",
      "users:activity!user=alice",
    ]);
    assert.equal(identity?.serverId, server._id);
  });
});
