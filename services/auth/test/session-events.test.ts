import assert from "node:assert/strict";
import { afterEach, beforeEach, describe, test } from "node:test";
import { AuthDeleteUser } from "@elara/contracts";
import { Stand } from "./stand.ts";

const DAY = 86_400;

describe("events of sessions and blocked users", () => {
  let stand: Stand;
  const replicas: Stand[] = [];
  beforeEach(async () => {
    stand = await Stand.open();
  });
  afterEach(async () => {
    for (const other of replicas.splice(0)) await other.close({ keepStore: true });
    await stand.close();
  });
  const replica = async (config: Record<string, unknown> = {}, seconds = 0) => {
    const other = await Stand.open({ with: stand, config }, seconds);
    replicas.push(other);
    return other;
  };
  const ended = (reason: string) => stand.event("session.ended", ({ data }) => data.reason === reason);

  test("tell a log-in and its end by log-out, without cookie or digest", async () => {
    const browser = await stand.loggedIn("ada");
    const started = await stand.event("session.started");
    const secret = browser.cookie("jupyterhub-hub-login") ?? "";
    const user = await stand.userNamed("ada");
    assert.equal(started.subject, `users/${user?._id}/sessions/${started.data.sessionId}`);
    assert.deepEqual([started.data.name, started.data.authenticator, started.seq], ["ada", "book", 1]);
    await browser.post("/hub/logout", { _xsrf: browser.cookie("_xsrf") ?? "" });
    const end = await ended("logged_out");
    assert.deepEqual([end.subject, end.seq, end.actor], [started.subject, 2, `user:${user?._id}`]);
    const [session] = (await stand.records.sessions.find()).items;
    for (const hidden of [secret, session?._id ?? "", session?.sessionId ?? ""])
      assert.ok(hidden !== "" && !JSON.stringify(stand.seen).includes(hidden));
  });

  test("tell that a session is replaced by the next of the same person", async () => {
    const browser = await stand.loggedIn("ada");
    const first = await stand.event("session.started");
    await browser.post("/hub/login", {
      _xsrf: browser.cookie("_xsrf") ?? "",
      username: "ada",
      password: "ada-secret",
    });
    assert.equal((await ended("replaced")).subject, first.subject);
    await stand.event("session.started", ({ subject }) => subject !== first.subject);
  });

  test("tell that a session is over by its time", async () => {
    await stand.loggedIn("ada");
    await replica({}, 15 * DAY);
    const { actor, seq } = await ended("expired");
    assert.deepEqual([actor, seq], ["system:auth", 2]);
  });

  test("tell a deletion from the order on", async () => {
    await stand.loggedIn("ada");
    const userId = (await stand.userNamed("ada"))?._id ?? "";
    stand.serversLeft.set(userId, 1);
    await stand.order(AuthDeleteUser, { userId, actor: "user:root" });
    const { actor } = await stand.event("user.deleting");
    assert.equal(actor, "user:root");
    await ended("revoked");
    assert.ok(!stand.seen.some(({ type }) => type.includes("user.deleted")));
  });

  test("tell who is blocked by the configuration, once, and who no longer", async () => {
    await stand.loggedIn("ada");
    await replica({ blockedUsers: ["ada", "nobody"] });
    await stand.event("user.blocked", ({ data }) => data.name === "ada");
    await ended("revoked");
    const again = await replica({ blockedUsers: ["ada"] });
    await again.close({ keepStore: true });
    replicas.pop();
    await replica();
    await stand.event("user.unblocked", ({ data }) => data.name === "ada");
    assert.equal(stand.seen.filter(({ type }) => type.includes("user.blocked")).length, 1);
  });
});
