import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { digest } from "@elara/runtime/id";
import { pino } from "pino";
import { Value } from "typebox/value";
import { AuthConfig } from "../src/config.ts";
import { envelope } from "../src/kept/envelope.ts";
import { giveBack } from "../src/kept/give-back.ts";
import { keptLogins } from "../src/kept/kept-logins.ts";
import { openWays } from "../src/login/ways.ts";
import { provider } from "./authenticators.ts";
import type { Browser } from "./browser.ts";
import { giver, isEmpty, isReturned } from "./giver.ts";
import { opener } from "./opener.ts";
import { Stand, until } from "./stand.ts";

const open = opener();

/** The first `count` callers wait for each other. */
function barrier(count: number): () => Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  let left = count;
  return () => {
    left -= 1;
    if (left <= 0) resolve();
    return promise;
  };
}

const sessionOf = (browser: Browser): string => digest(browser.cookie("jupyterhub-hub-login") ?? "");
describe("giving back is not lost", () => {
  const DAY = 86_400;
  /** Later, at another replica: rounds begin with it. */
  const later = async (stand: Stand, way: ReturnType<typeof provider>, seconds: number) => {
    const replica = await Stand.open({ authenticators: [way], with: stand }, seconds);
    return { replica, end: () => replica.close({ keepStore: true }) };
  };

  test("by a provider that fails twice: it is tried again, later each time", async () => {
    const giving = giver({ fails: 2 });
    const stand = await open({ authenticators: [giving.way] });
    const { browser } = await stand.atProvider("ada");
    await browser.get("/hub/logout");
    await until("the first try", () => giving.calls.length === 1 || undefined);
    await until("it is put off", async () => {
      const { items } = await stand.records.authStates.find();
      return (
        (items[0]?.tries === 1 && items[0].dueAt < new Date(Date.now() + 40_000).toISOString()) || undefined
      );
    });
    const early = await later(stand, giving.way, 10);
    const second = await later(stand, giving.way, 40);
    await until("the second try", () => giving.calls.length === 2 || undefined);
    const third = await later(stand, giving.way, 200);
    await isReturned(giving);
    assert.deepEqual(giving.returned, giving.way.seen.tokens);
    await isEmpty(stand);
    for (const { end } of [early, second, third]) await end();
  });

  test("by a kill after the session's mark: another process finds the mark", async () => {
    const giving = giver();
    const stand = await open({ authenticators: [giving.way] });
    const { browser } = await stand.atProvider("ada");
    const id = sessionOf(browser);
    const session = await stand.records.sessions.get(id);
    // What a process leaves that was killed between its two writes.
    await stand.records.sessions.patch(id, session?.rev ?? 0, {
      set: { revokedAt: new Date().toISOString() },
    });
    await open({ authenticators: [giving.way], with: stand });
    await isReturned(giving);
  });

  test("by a kill before the session was opened, before the log-in was done, or after the claim", async () => {
    const giving = giver();
    const stand = await open({ authenticators: [giving.way] });
    for (const name of ["ada", "bob", "grace"]) await stand.atProvider(name);
    const { items } = await stand.records.authStates.find();
    const at = (ms: number) => new Date(Date.now() + ms).toISOString();
    for (const { _id, rev, userName } of items) {
      if (userName === "ada") await stand.records.sessions.delete(_id);
      const isClaimed = userName === "grace";
      const set = { dueAt: at(60_000), ...(isClaimed ? { endedAt: at(0), tries: 1 } : {}) };
      await stand.records.authStates.patch(_id, rev, { set });
    }
    await open({ authenticators: [giving.way], with: stand }, 90);
    await isReturned(giving, 3);
    const bob = await stand.userNamed("bob");
    const { items: left } = await stand.records.sessions.find({ where: { userId: bob?._id ?? "" } });
    assert.ok(
      left.every(({ revokedAt }) => revokedAt !== ""),
      "nobody has that session",
    );
    assert.deepEqual(giving.returned.toSorted(), giving.way.seen.tokens.toSorted());
  });

  test("by one that cannot be read: it is tried again, and leaves nothing that ends the process later", async () => {
    const giving = giver();
    const stand = await open({ authenticators: [giving.way] });
    const { browser } = await stand.atProvider("ada");
    const kept = await stand.records.authStates.get(sessionOf(browser));
    await stand.records.authStates.patch(kept?._id ?? "", kept?.rev ?? 0, {
      set: { sealed: "v1.0.0", endedAt: kept?.createdAt ?? "", dueAt: kept?.createdAt ?? "" },
    });
    const replica = await Stand.open({ authenticators: [giving.way], with: stand });
    await until("it is put off", () =>
      replica.lines.find((line) => /AUTH_STATE_UNREADABLE.*tokens not given back yet/.test(line)),
    );
    // Aborts the signal of the try; an unhandled rejection fails the test.
    await replica.close({ keepStore: true });
    assert.deepEqual(giving.calls, []);
  });

  for (const [how, times] of [
    ["for one write", 1],
    ["until the log-in is answered", Number.POSITIVE_INFINITY],
  ] as const)
    test(`by a store that goes away in a log-in, ${how}: each token is kept for a browser that is logged in, or given back`, async () => {
      const giving = giver();
      const stand = await open({ authenticators: [giving.way] });
      const held = new Set<string>();
      const news: string[] = [];
      const answers: string[] = [];
      for (let writes = 0; ; writes += 1) {
        const browser = stand.browser(`192.0.2.${writes}`);
        await stand.atProvider("ada", { browser });
        held.add(sessionOf(browser));
        const again = await stand.atProvider("ada", {
          browser,
          meanwhile: () => stand.awayAfter(writes, times),
        });
        stand.awayAfter(undefined);
        const [write] = again.meanwhile ?? [];
        answers.push(`${again.answer.statusCode} ${write}`);
        if (again.answer.statusCode === 302) news.push(sessionOf(browser));
        if (write === undefined) break;
      }
      assert.ok(answers.length > 7, answers.join(", "));
      if (times === 1) assert.ok(answers.includes("302 throttles patch"), answers.join(", "));
      await open({ authenticators: [giving.way], with: stand }, 90);
      const { authStates, sessions } = stand.records;
      await until(`all is given back: ${answers.join(", ")}`, async () => {
        const living = (await sessions.find({ where: { revokedAt: "" } })).items.map(({ _id }) => _id);
        const kept = (await authStates.find()).items.map(({ _id }) => _id);
        const isOurs = kept.every((id) => (held.has(id) || news.includes(id)) && living.includes(id));
        return (
          (isOurs && new Set(giving.returned).size + kept.length === giving.way.seen.tokens.length) ||
          undefined
        );
      });
      for (const id of news)
        assert.equal((await authStates.get(id))?.endedAt, "", "who is logged in keeps theirs");
    });

  /** What a replica does in one look at what is due. */
  async function oneRound(
    stand: Stand,
    way: ReturnType<typeof provider>,
    { now = Date.now, find = stand.records.authStates.find } = {},
  ): Promise<void> {
    const records = { ...stand.records, authStates: { ...stand.records.authStates, find } };
    const ground = { records, clock: { now, monotonic: now }, log: pino({ level: "silent" }) };
    const hub = { dataDir: stand.dataDir, hubId: "testhub", baseUrl: "/", publicUrl: "" };
    const ways = await openWays([way], { ...ground, hub, config: Value.Create(AuthConfig) });
    const kept = keptLogins(ground, envelope(stand.keys.authStateRing), () => {});
    const undo = (id: string) => assert.fail(`an open session, ${id}`);
    return giveBack(ground, { kept, ways, undo, end: new AbortController().signal });
  }

  /** So many log-ins whose sessions are over, due now; the tokens by age. */
  async function manyDue(stand: Stand, count: number): Promise<void> {
    const { authStates } = stand.records;
    await stand.atProvider("ada");
    const [known] = (await authStates.find()).items;
    assert.ok(known);
    const { rev: _, ...kept } = known;
    const own = envelope(stand.keys.authStateRing);
    await authStates.delete(kept._id);
    for (let n = 0; n < count; n += 1) {
      const at = new Date(Date.parse(kept.createdAt) + n).toISOString();
      const sealed = own.seal({ access_token: `t${n}` }, kept.userId);
      await authStates.insert({ ...kept, _id: `${n}`.padStart(64, "0"), sealed, endedAt: at, dueAt: at });
    }
  }

  test("by some that hang: the others do not wait for them", async () => {
    const hanging = Promise.withResolvers<void>();
    const returned: string[] = [];
    const way = provider({
      logout: async (token) => {
        if (["t0", "t8", "t16"].includes(token)) await hanging.promise;
        returned.push(token);
      },
    });
    const stand = await open({ authenticators: [way] });
    await manyDue(stand, 20);
    const round = oneRound(stand, way);
    await until("the others are given back", () => returned.length === 17 || undefined);
    hanging.resolve();
    await round;
    await isEmpty(stand);
  });

  test("by a provider that is away with many: a few are tried, the others put off, apart from each other", async () => {
    const giving = giver({ fails: 1000 });
    const stand = await open({ authenticators: [giving.way] });
    await manyDue(stand, 60);
    await oneRound(stand, giving.way);
    const { authStates } = stand.records;
    // The stand looks, too.
    assert.ok(giving.calls.length >= 3 && giving.calls.length < 25, `${giving.calls.length} calls`);
    const putOff = (await authStates.find()).items.filter(({ tries }) => tries === 0);
    assert.equal(putOff.length, 60 - giving.calls.length, "a try that was not made is not counted");
    const times = putOff.map(({ dueAt }) => Date.parse(dueAt)).toSorted((a, b) => a - b);
    assert.ok((times.at(-1) ?? 0) - (times[0] ?? 0) > 5000, "they do not all come back at once");
  });

  test("two replicas that look at the same moment ask the provider once", async () => {
    const giving = giver();
    const stand = await open({ authenticators: [giving.way] });
    const { browser } = await stand.atProvider("ada");
    const id = sessionOf(browser);
    await stand.records.sessions.delete(id);
    const now = () => Date.now() + 15 * DAY * 1000;
    // Both have found it before either of them claims it.
    const bothFound = barrier(2);
    const { authStates } = stand.records;
    const find: typeof authStates.find = async (query) => {
      const page = await authStates.find(query);
      await bothFound();
      return page;
    };
    const replica = () => oneRound(stand, giving.way, { now, find });
    await Promise.all([replica(), replica()]);
    assert.deepEqual(giving.calls, giving.way.seen.tokens);
    assert.equal(await authStates.count(), 0);
  });

  test("what no try gives back is dropped after a day, with an error that says what to do", async () => {
    const giving = giver({ fails: 1000 });
    const stand = await open({ authenticators: [giving.way] });
    const { browser } = await stand.atProvider("ada");
    await browser.get("/hub/logout");
    let seconds = 0;
    const lines: string[][] = [];
    for (let tries = 1; (await stand.records.authStates.count()) > 0; tries += 1) {
      assert.ok(tries < 30, "it ends");
      await until("a try", async () => {
        const { items } = await stand.records.authStates.find();
        return items[0] === undefined || items[0].tries >= tries ? true : undefined;
      });
      await until("it is put off or dropped", async () => {
        const { items } = await stand.records.authStates.find();
        return items[0] === undefined ||
          items[0].dueAt > new Date(Date.now() + seconds * 1000 + 20_000).toISOString()
          ? true
          : undefined;
      });
      const { items } = await stand.records.authStates.find();
      const next = items[0] && Math.ceil((Date.parse(items[0].dueAt) - Date.now()) / 1000) + 1;
      if (next === undefined) break;
      seconds = next;
      const { replica, end } = await later(stand, giving.way, seconds);
      lines.push(replica.lines);
      await until("the next try", () => giving.calls.length > tries || undefined);
      await end();
    }
    assert.ok(seconds > 0.8 * DAY && seconds < 1.3 * DAY, `after ${seconds} s`);
    assert.ok(giving.calls.length >= 10);
    const errors = lines.flat().filter((line) => line.includes('"level":50'));
    assert.equal(errors.length, 1);
    assert.match(errors[0] ?? "", /"name":"ada".*"code":"AUTH_STATE_KEPT".*revoke them at the provider/);
  });
});
