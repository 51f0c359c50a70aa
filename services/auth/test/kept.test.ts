import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { AuthDeleteUser } from "@elara/contracts";
import { digest } from "@elara/runtime/id";
import { keysFrom } from "@elara/runtime/keys";
import { envelope } from "../src/kept/envelope.ts";
import { book } from "./authenticators.ts";
import type { Browser } from "./browser.ts";
import { giver, isEmpty, isReturned } from "./giver.ts";
import { opener } from "./opener.ts";
import { Stand, until } from "./stand.ts";

const open = opener();

const sessionOf = (browser: Browser): string => digest(browser.cookie("jupyterhub-hub-login") ?? "");

describe("what an authenticator keeps of a log-in", () => {
  test("stands sealed under its session; no token is in store, events or log", async () => {
    const { way } = giver();
    const stand = await open({ authenticators: [way] });
    const { browser } = await stand.atProvider("ada");
    const [token = ""] = way.seen.tokens;
    const kept = await stand.records.authStates.get(sessionOf(browser));
    assert.match(kept?.sealed ?? "", /^v1\.[0-9a-f]{8}(\.[\w-]+){3}$/);
    assert.equal(kept?.userId, (await stand.userNamed("ada"))?._id);
    const everything = [
      await stand.records.authStates.find(),
      await stand.records.sessions.find(),
      stand.seen,
    ];
    for (const text of [JSON.stringify(everything), stand.lines.join("\n")]) assert.ok(!text.includes(token));
  });

  test("opens for its own user only, and not when it was changed", () => {
    const { authStateRing } = keysFrom({ cookieSecret: Buffer.alloc(32), cryptKey: Buffer.alloc(32, 5) });
    const own = envelope(authStateRing);
    const sealed = own.seal({ access_token: "secret" }, "user1");
    assert.deepEqual(own.open(sealed, "user1"), { access_token: "secret" });
    assert.notEqual(own.seal({ access_token: "secret" }, "user1"), sealed);
    const foreign = envelope(
      keysFrom({ cookieSecret: Buffer.alloc(32), cryptKey: Buffer.alloc(32, 6) }).authStateRing,
    );
    const [version, kid, iv, text, tag = ""] = sealed.split(".");
    const wrong: [() => unknown, RegExp][] = [
      [() => own.open(sealed, "user2"), /changed, or moved/],
      [
        () =>
          own.open(
            [version, kid, iv, `${text?.[0] === "A" ? "B" : "A"}${text?.slice(1)}`, tag].join("."),
            "user1",
          ),
        /changed|moved/,
      ],
      [() => own.open([version, kid, iv, text, tag.slice(0, 6)].join("."), "user1"), /changed|moved/],
      [() => own.open(["v0", kid, iv, text, tag].join("."), "user1"), /no envelope/],
      [() => own.open("v2.x", "user1"), /./],
      [() => foreign.open(sealed, "user1"), /not in secrets\.cryptKey/],
    ];
    for (const [look, why] of wrong)
      assert.throws(look, (error: unknown) => {
        const { code, detail }: { code?: string; detail?: { why?: string } } = Object(error);
        assert.equal(code, "AUTH_STATE_UNREADABLE");
        assert.match(detail?.why ?? "", why);
        return true;
      });
  });

  test("is sealed anew when another key stands first in the ring; the old one is not needed afterwards", async () => {
    const [old, fresh] = [Buffer.alloc(32, 2), Buffer.alloc(32, 9)];
    const one = giver();
    const stand = await open({ authenticators: [one.way], cryptKeys: [old] });
    const { browser } = await stand.atProvider("ada");
    const id = sessionOf(browser);
    const before = await stand.records.authStates.get(id);
    await open({ authenticators: [one.way], cryptKeys: [fresh, old], with: stand });
    const after = await until("it is sealed anew", async () => {
      const now = await stand.records.authStates.get(id);
      return now && now.kid !== before?.kid ? now : undefined;
    });
    const { authStateRing } = keysFrom({ cookieSecret: Buffer.alloc(32), cryptKey: fresh });
    const [token] = one.way.seen.tokens;
    assert.equal(envelope(authStateRing).open(after.sealed, after.userId).access_token, token);
  });
});

describe("sealing anew", () => {
  test("passes over what cannot be read, however much it is, and tells it once for each key", async () => {
    const one = giver();
    const stand = await open({ authenticators: [one.way] });
    const { browser } = await stand.atProvider("ada");
    const { authStates } = stand.records;
    const known = await authStates.get(sessionOf(browser));
    assert.ok(known);
    const { rev: _, ...kept } = known;
    const [lost, fresh] = [Buffer.alloc(32, 7), Buffer.alloc(32, 9)];
    const { authStateRing } = keysFrom({ cookieSecret: Buffer.alloc(32), cryptKey: lost });
    const sealed = envelope(authStateRing).seal({ access_token: "lost" }, kept.userId);
    // All of them come before the one that can be read.
    for (let n = 0; n < 210; n += 1)
      await authStates.insert({ ...kept, _id: `${n}`.padStart(64, "0"), kid: authStateRing[0].kid, sealed });
    const ring = [fresh, Buffer.alloc(32, 2)];
    const replica = await open({ authenticators: [one.way], cryptKeys: ring, with: stand });
    await until("it is sealed anew", async () => {
      const now = await authStates.get(kept._id);
      return (now && now.kid !== kept.kid) || undefined;
    });
    const told = await until("it is told", () => {
      const lines = replica.lines.filter((line) => line.includes("auth states cannot be read"));
      return lines.length > 0 ? lines : undefined;
    });
    assert.equal(told.length, 1);
    assert.match(told[0] ?? "", new RegExp(`"kid":"${authStateRing[0].kid}","count":210`));
    assert.ok(replica.lines.some((line) => /"count":1,"left":210.*encrypted with the first key/.test(line)));
  });
});

describe("when a session ends, what was kept is given back", () => {
  test("by a log-out, at once", async () => {
    const giving = giver();
    const stand = await open({ authenticators: [giving.way] });
    const { browser } = await stand.atProvider("ada");
    await browser.get("/hub/logout");
    await isReturned(giving);
    assert.deepEqual(giving.returned, giving.way.seen.tokens);
    await isEmpty(stand);
  });

  test("when another log-in takes its place, and only the old one's", async () => {
    const giving = giver();
    const stand = await open({ authenticators: [giving.way] });
    const { browser } = await stand.atProvider("ada");
    await stand.atProvider("ada", { browser });
    await isReturned(giving);
    const [old] = giving.way.seen.tokens;
    assert.deepEqual(giving.returned, [old]);
    assert.equal(await stand.records.authStates.count(), 1);
  });

  test("when it expires", async () => {
    const giving = giver();
    const stand = await open({ authenticators: [giving.way], config: { sessionDays: 1 } });
    await stand.atProvider("ada");
    const soon = await Stand.open({ authenticators: [giving.way], with: stand }, 120);
    await until("the session is known to be open", async () => {
      const { items } = await stand.records.authStates.find();
      return (items[0]?.dueAt ?? "") > new Date(Date.now() + 3_600_000).toISOString() || undefined;
    });
    assert.deepEqual(giving.calls, [], "an open session keeps it");
    await soon.close({ keepStore: true });
    await open({ authenticators: [giving.way], with: stand }, 86_400 + 60);
    await isReturned(giving);
  });

  test("when the user is deleted, and under the name they had", async () => {
    const giving = giver();
    const stand = await open({ authenticators: [giving.way] });
    await stand.atProvider("ada");
    const user = await stand.userNamed("ada");
    await stand.order(AuthDeleteUser, { userId: user?._id ?? "", actor: "system:test" });
    await isReturned(giving);
    await isEmpty(stand);
  });

  test("when the user is blocked", async () => {
    const giving = giver();
    const stand = await open({ authenticators: [giving.way] });
    await stand.atProvider("ada");
    await open({ authenticators: [giving.way], with: stand, config: { blockedUsers: ["ada"] } });
    await isReturned(giving);
  });

  test("never twice, although each way to end is told: a log-out leaves nothing to do for the others", async () => {
    const giving = giver();
    const stand = await open({ authenticators: [giving.way, book()] });
    const { browser } = await stand.atProvider("ada");
    await browser.get("/hub/logout");
    await isReturned(giving);
    const user = await stand.userNamed("ada");
    await stand.order(AuthDeleteUser, { userId: user?._id ?? "", actor: "system:test" });
    await open({ authenticators: [giving.way], with: stand }, 15 * 86_400);
    await stand.event("user.deleted");
    assert.equal(giving.calls.length, 1);
  });
});
