import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { giver, isEmpty, isReturned } from "./giver.ts";
import { opener } from "./opener.ts";

const open = opener();
const never = () => new Promise<never>(() => {});

describe("what a provider gave is written before anything else is asked", () => {
  test("a hub that is killed while the provider says who it is gives it back when it returns", async () => {
    const giving = giver({ holds: true, who: never });
    const stand = await open({ authenticators: [giving.way], config: { loginSeconds: 0.1 } });
    assert.equal((await stand.atProvider("ada")).answer.statusCode, 503);
    const { items } = await stand.records.authStates.find();
    assert.deepEqual([items.length, items[0]?.endedAt, giving.calls.length], [1, "", 0]);
    await open({ authenticators: [giving.way], with: stand }, 70);
    await isReturned(giving);
    assert.deepEqual(giving.returned, giving.way.seen.tokens);
    await isEmpty(stand);
  });

  test("the log-in that is done has it for its session, bound to its user, once", async () => {
    const giving = giver({ holds: true });
    const stand = await open({ authenticators: [giving.way] });
    const { browser } = await stand.atProvider("ada");
    const { items } = await stand.records.authStates.find();
    const ada = await stand.userNamed("ada");
    assert.deepEqual(
      items.map(({ userId, userName, endedAt }) => [userId, userName, endedAt]),
      [[ada?._id, "ada", ""]],
    );
    await browser.get("/hub/logout");
    await isReturned(giving);
    await isEmpty(stand);
    assert.deepEqual(giving.calls, giving.way.seen.tokens);
  });

  test("an authenticator that answers without it has it for the session all the same", async () => {
    const giving = giver({ holds: "alone" });
    const stand = await open({ authenticators: [giving.way] });
    const { browser, answer } = await stand.atProvider("ada");
    assert.equal(answer.statusCode, 302);
    const [kept] = (await stand.records.authStates.find()).items;
    const [session] = (await stand.records.sessions.find()).items;
    assert.equal(kept?.dueAt, session?.expiresAt, "who is logged in stays so");
    assert.equal(kept?.userName, "ada");
    await browser.get("/hub/logout");
    await isReturned(giving);
    assert.deepEqual(giving.returned, giving.way.seen.tokens);
  });

  const failures: [string, number, NonNullable<Parameters<typeof giver>[0]>["who"]][] = [
    ["refuses", 503, () => Promise.reject(Object.assign(new Error("stranger"), { status: 403 }))],
    ["says nobody", 502, async () => ({ name: "" })],
  ];
  for (const [how, status, who] of failures)
    test(`an authenticator that ${how} leaves nothing behind`, async () => {
      const giving = giver({ holds: true, ...(who ? { who } : {}) });
      const stand = await open({ authenticators: [giving.way] });
      assert.equal((await stand.atProvider("ada")).answer.statusCode, status);
      await open({ authenticators: [giving.way], with: stand }, 100);
      await isReturned(giving);
      await isEmpty(stand);
      assert.deepEqual(giving.calls, giving.way.seen.tokens, "once");
    });
});
