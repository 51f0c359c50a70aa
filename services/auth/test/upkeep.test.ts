import assert from "node:assert/strict";
import { afterEach, beforeEach, describe, test } from "node:test";
import { AuthCreateUser, AuthDeleteUser } from "@elara/contracts";
import { digest } from "@elara/runtime/id";
import { Stand, until } from "./stand.ts";

describe("upkeep", () => {
  let stand: Stand;
  beforeEach(async () => {
    stand = await Stand.open();
  });
  const replicas: Stand[] = [];
  afterEach(async () => {
    for (const other of replicas.splice(0)) await other.close({ keepStore: true });
    await stand.close();
  });

  /** A replica begins with what others left undone. */
  const replica = async ({
    seconds,
    config = {},
  }: {
    seconds?: number;
    config?: Record<string, unknown>;
  } = {}) => {
    const other = await Stand.open({ with: stand, config }, seconds);
    replicas.push(other);
    return other;
  };
  const tokenOf = async (name: string, body: object = {}) => {
    const browser = await stand.loggedIn(name);
    const answer = await browser.send("POST", `/hub/api/users/${name}/tokens`, body, {
      "x-xsrftoken": browser.cookie("_xsrf") ?? "",
    });
    return { browser, ...answer.json() };
  };

  test("expired and revoked credentials go ten minutes later, valid ones stay", async () => {
    const short = await tokenOf("ada", { expires_in: 60 });
    const kept = await tokenOf("ada");
    await stand.browser().login("ada", "wrong");
    await short.browser.get("/hub/logout");
    assert.equal(await stand.records.sessions.count(), 2);

    const soon = await replica({ seconds: 120 });
    await soon.event("token.expired", ({ data }) => data.publicId === short.id);
    assert.ok(await stand.records.tokens.get(digest(short.token)), "its mark must be seen by others first");

    await replica({ seconds: 780 });
    await until("leftovers are gone", async () => {
      const left = await Promise.all([
        stand.records.tokens.get(digest(short.token)),
        stand.records.sessions.count(),
        stand.records.throttles.count(),
      ]);
      return (left[0] === undefined && left[1] === 1 && left[2] === 0) || undefined;
    });
    assert.ok(await stand.records.tokens.get(digest(kept.token)));
    assert.equal((await kept.browser.get("/hub/token")).statusCode, 200);
  });

  test("tokens of a revoked session go too, those of one that goes on stay", async () => {
    const { token: out, browser } = await tokenOf("ada");
    const { token: on, browser: kept } = await tokenOf("bob");
    for (const [secret, of] of [
      [out, browser],
      [on, kept],
    ] as const) {
      const doc = await stand.records.tokens.get(digest(secret));
      const sessionId = of.cookie("jupyterhub-session-id") ?? "";
      await stand.records.tokens.patch(digest(secret), doc?.rev ?? 0, { set: { sessionId } });
    }
    // As a replica leaves it that was killed between the session's mark and its last look for tokens.
    const session = await stand.records.sessions.get(digest(browser.cookie("jupyterhub-hub-login") ?? ""));
    await stand.records.sessions.patch(session?._id ?? "", session?.rev ?? 0, {
      set: { revokedAt: new Date().toISOString() },
    });
    // Logging in again goes on with the session under a new secret.
    await kept.post("/hub/login", {
      _xsrf: kept.cookie("_xsrf") ?? "",
      authenticator: "book",
      username: "bob",
      password: "bob-secret",
    });
    const other = await replica();
    await other.event("token.revoked", ({ data }) => data.userId === session?.userId);
    assert.equal((await stand.records.tokens.get(digest(on)))?.revokedAt, "");
  });

  test("a deleted user's name is free again after a day", async () => {
    const { userId } = await stand.order(AuthCreateUser, { name: "old", admin: false, actor: "system:test" });
    await stand.order(AuthDeleteUser, { userId, actor: "system:test" });
    await stand.event("user.deleted");
    const early = await replica({ seconds: 86_000 });
    assert.equal((await early.browser().login("old", "old-secret")).statusCode, 403);
    const late = await replica({ seconds: 86_500 });
    await until(
      "the tombstone is gone",
      async () => (await stand.userNamed("old")) === undefined || undefined,
    );
    await late.loggedIn("old");
    assert.notEqual((await stand.userNamed("old"))?._id, userId);
  });

  test("a deletion that a killed replica began is finished by another", async () => {
    const { userId } = await stand.order(AuthCreateUser, {
      name: "gone",
      admin: false,
      actor: "system:test",
    });
    const user = await stand.records.users.get(userId);
    await stand.records.users.patch(userId, user?.rev ?? 0, {
      set: { deletingAt: "2026-01-01T00:00:00.000Z" },
    });
    const other = await replica();
    await other.event("user.deleted", ({ data }) => data.userId === userId);
  });

  test("who is blocked now loses sessions and tokens at the start", async () => {
    const { browser, token } = await tokenOf("eve");
    const other = await replica({ config: { blockedUsers: ["Eve"] } });
    await other.event("token.revoked");
    await until("neither opens anything, in any replica", async () => {
      const api = await stand.api(token, "GET", "/users/eve/tokens");
      const page = await browser.get("/hub/token");
      return (api.status === 403 && page.statusCode === 302) || undefined;
    });
  });
});
