import assert from "node:assert/strict";
import { afterEach, beforeEach, describe, it } from "node:test";
import { type Collection, type Doc, sessions, tokens, users } from "@elara/contracts";
import { timestamp } from "../src/clock.ts";
import { digest } from "../src/id.ts";
import { type IdentityReader, identityReader } from "../src/store/read/identity.ts";
import { sqliteStore } from "../src/store/sqlite.ts";
import type { Change } from "../src/store/store.ts";
import { type CutStore, cutStore } from "./fixtures/away.ts";
import { type TestClock, testClock } from "./fixtures/clock.ts";
import { silentLog } from "./fixtures/log.ts";
import { addSession, addToken, addUser } from "./fixtures/people.ts";

describe("reading identities", () => {
  let store: CutStore;
  let clock: TestClock;
  let reader: IdentityReader;

  beforeEach(async () => {
    clock = testClock();
    store = cutStore(await sqliteStore({ file: ":memory:", log: silentLog }));
    reader = identityReader({ store, clock, log: silentLog, marksEveryMs: 0 });
    await addUser(store, "ada");
    await addToken(store, "token", "ada");
    await addSession(store, "login", "ada");
    await reader.refresh();
  });
  afterEach(async () => {
    await reader.close();
    await store.close();
  });

  const change = async <C extends Collection>(collection: C, id: string, set: Change<Doc<C>>["set"]) => {
    const documents = store.collection(collection);
    const doc = await documents.get(id);
    assert.ok(doc && (await documents.patch(id, Number(Reflect.get(doc, "rev")), { set })));
  };
  const now = () => timestamp(clock.now());
  const reads = async (work: () => Promise<unknown>): Promise<number> => {
    const before = store.reads;
    await work();
    return store.reads - before;
  };

  it("gives a cookie's holder their own scopes, and administrators theirs", async () => {
    const ada = await reader.byCookie("login");
    assert.deepEqual(
      [ada?.kind, ada?.userId, ada?.name, ada?.via, ada?.tokenId, ada?.roles],
      ["user", "uada", "ada", "cookie", null, ["user"]],
    );
    assert.equal(ada?.credential, digest("login"));
    await addUser(store, "root", { admin: true });
    await addSession(store, "roots-login", "root");
    const root = await reader.byCookie("roots-login");
    assert.deepEqual(
      [root?.admin, root?.roles, root?.scopes.allows("admin:users")],
      [true, ["admin", "user"], true],
    );
  });

  it("knows nobody by what is unknown, revoked, expired, deleted, or of a user who is going", async () => {
    await addToken(store, "revoked", "ada", { revokedAt: now() });
    await addToken(store, "expired", "ada", { expiresAt: now() });
    await addToken(store, "deleted", "ada", { deletedAt: now() });
    await addToken(store, "orphan", "nobody");
    await addUser(store, "going", { deletingAt: now() });
    await addToken(store, "goings", "going");
    await addSession(store, "goings-login", "going");
    for (const secret of ["unknown", "revoked", "expired", "deleted", "orphan", "goings"])
      assert.equal(await reader.byToken(secret), undefined, secret);
    await addSession(store, "logged-out", "ada", { revokedAt: now() });
    await addSession(store, "old", "ada", { expiresAt: now() });
    for (const secret of ["unknown", "logged-out", "old", "goings-login", "token"])
      assert.equal(await reader.byCookie(secret), undefined, secret);
  });

  it("lets a service do what it was given, and nothing by itself", async () => {
    await addToken(store, "cull", "", { userId: "", service: "cull", scopes: ["inherit"] });
    const plain = await reader.byToken("cull");
    assert.deepEqual(
      [plain?.kind, plain?.name, plain?.userId, plain?.scopes.list()],
      ["service", "cull", "", []],
    );
    const given = identityReader({
      store,
      clock,
      log: silentLog,
      marksEveryMs: 0,
      serviceScopes: (name) => (name === "cull" ? ["list:users"] : []),
    });
    assert.deepEqual((await given.byToken("cull"))?.scopes.list(), ["list:users", "read:users:name"]);
    await given.close();
  });

  it("answers from memory while marks are fresh, and reads anew when they are not", async () => {
    await reader.byToken("token");
    assert.equal(await reads(() => reader.byToken("token")), 0);
    clock.forward(899);
    assert.equal(await reads(() => reader.byToken("token")), 0);
    clock.forward(1);
    assert.ok((await reads(() => reader.byToken("token"))) > 0);
    await reader.refresh();
    assert.equal(await reads(() => reader.byToken("token")), 0);
  });

  it("does not keep an entry for ever, however fresh the marks", async () => {
    await reader.byToken("token");
    for (let second = 0; second < 60; second += 1) {
      clock.forward(1000);
      await reader.refresh();
    }
    assert.ok((await reads(() => reader.byToken("token"))) > 0);
  });

  it("never serves a cached entry past its expiry", async () => {
    await addToken(store, "short", "ada", { expiresAt: timestamp(clock.now() + 500) });
    assert.ok(await reader.byToken("short"));
    clock.forward(500);
    assert.equal(await reader.byToken("short"), undefined);
  });

  it("drops a token or login at the first reading of marks after its revocation", async () => {
    await reader.byToken("token");
    await reader.byCookie("login");
    clock.forward(100);
    await change(tokens, digest("token"), { revokedAt: now() });
    await change(sessions, digest("login"), { revokedAt: now() });
    assert.ok(await reader.byToken("token"), "from memory, marks not read yet");
    await reader.refresh();
    assert.equal(await reader.byToken("token"), undefined);
    assert.equal(await reader.byCookie("login"), undefined);
  });

  it("sees a mark whose writer's clock was half a minute off", async () => {
    await reader.byToken("token");
    clock.forward(100);
    await change(tokens, digest("token"), { revokedAt: timestamp(clock.now() - 29_000) });
    await reader.refresh();
    assert.equal(await reader.byToken("token"), undefined);
  });

  it("reads old marks again only every 5 s, new ones each time", async () => {
    for (let n = 0; n < 40; n += 1)
      await addToken(store, `old${n}`, "ada", { revokedAt: timestamp(clock.now() - 20_000 + n) });
    await addToken(store, "newest", "ada", { revokedAt: now() });
    clock.forward(5000);
    const found = async () => {
      const before = store.found;
      await reader.refresh();
      return store.found - before;
    };
    assert.equal(await found(), 41, "the whole window");
    await reader.byToken("token");
    clock.forward(4000);
    await change(tokens, digest("token"), { revokedAt: now() });
    assert.equal(await found(), 2, "the newest mark again, and the new one");
    assert.equal(await reader.byToken("token"), undefined);
    clock.forward(1000);
    assert.equal(await found(), 42, "the whole window again");
  });

  it("sees a mark from a clock behind, although it saw one from a clock far ahead", async () => {
    await addToken(store, "ahead", "ada", { revokedAt: timestamp(clock.now() + 3_600_000) });
    clock.forward(5000);
    await reader.refresh();
    await reader.byToken("token");
    clock.forward(100);
    await change(tokens, digest("token"), { revokedAt: timestamp(clock.now() - 3000) });
    await reader.refresh();
    assert.equal(await reader.byToken("token"), undefined);
  });

  it("sees within 5 s a mark whose writer's clock was half a minute off, beside newer marks", async () => {
    await addToken(store, "newest", "ada", { revokedAt: now() });
    clock.forward(5000);
    await reader.refresh();
    await reader.byToken("token");
    await change(tokens, digest("token"), { revokedAt: timestamp(clock.now() - 24_000) });
    clock.forward(5000);
    await reader.refresh();
    assert.equal(await reader.byToken("token"), undefined);
  });

  it("reads the whole window again after an outage", async () => {
    await addToken(store, "newest", "ada", { revokedAt: now() });
    clock.forward(5000);
    await reader.refresh();
    await reader.byToken("token");
    store.isAway = true;
    await assert.rejects(reader.refresh(), { code: "STORE_AWAY" });
    store.isAway = false;
    await change(tokens, digest("token"), { revokedAt: timestamp(clock.now() - 20_000) });
    clock.forward(100);
    await reader.refresh();
    assert.equal(await reader.byToken("token"), undefined);
  });

  it("reads a user's rights anew once they changed, and only once", async () => {
    await reader.byToken("token");
    clock.forward(100);
    await change(users, "uada", { admin: true, accessChangedAt: now() });
    await reader.refresh();
    assert.equal((await reader.byToken("token"))?.admin, true);
    await reader.refresh();
    assert.equal(await reads(() => reader.byToken("token")), 0, "the mark is still in the window");
  });

  it("forgets what it is told to forget", async () => {
    await reader.byToken("token");
    reader.forget([digest("token")]);
    assert.ok((await reads(() => reader.byToken("token"))) > 0);
  });

  it("believes nothing cached when marks may have been missed", async () => {
    await reader.byToken("token");
    await change(tokens, digest("token"), { revokedAt: now() });
    clock.forward(31_000);
    await reader.refresh();
    assert.equal(await reader.byToken("token"), undefined);
  });

  describe("while the store is away", () => {
    it("serves for a minute what it knew to be good, says so, and asks the store no more", async () => {
      await reader.byToken("token");
      store.isAway = true;
      clock.forward(1000);
      assert.equal((await reader.byToken("token"))?.unconfirmed, true);
      assert.equal(await reads(() => reader.byToken("token")), 0);
      clock.forward(59_000);
      assert.equal((await reader.byToken("token"))?.name, "ada");
      clock.forward(1);
      await assert.rejects(reader.byToken("token"), { code: "STORE_AWAY" });
    });

    it("refuses whom it does not remember", async () => {
      store.isAway = true;
      await assert.rejects(reader.byToken("token"), { code: "STORE_AWAY" });
      await assert.rejects(reader.byCookie("login"), { code: "STORE_AWAY" });
    });

    it("is itself again once marks are read", async () => {
      await reader.byToken("token");
      store.isAway = true;
      clock.forward(1000);
      await reader.byToken("token");
      await assert.rejects(reader.refresh(), { code: "STORE_AWAY" });
      store.isAway = false;
      await reader.refresh();
      const identity = await reader.byToken("token");
      assert.deepEqual([identity?.name, identity?.unconfirmed], ["ada", undefined]);
    });
  });
});

describe("reading marks by itself", () => {
  it("notices a revocation within a second, without being told", async () => {
    const store = await sqliteStore({ file: ":memory:", log: silentLog });
    const clock = { now: Date.now, monotonic: () => performance.now() };
    const reader = identityReader({ store, clock, log: silentLog });
    await addUser(store, "ada");
    const { _id, rev } = await addToken(store, "token", "ada");
    while (!(await reader.byToken("token"))) await new Promise(setImmediate);
    await store.collection(tokens).patch(_id, rev, { set: { revokedAt: timestamp(Date.now()) } });
    const revokedAt = performance.now();
    while (await reader.byToken("token")) {
      assert.ok(performance.now() - revokedAt < 1000, "still valid after a second");
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    await reader.close();
    await store.close();
  });
});
