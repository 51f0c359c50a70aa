import assert from "node:assert/strict";
import { afterEach, beforeEach, describe, test } from "node:test";
import { HubError, type User } from "@elara/contracts";
import { NO_EVENT } from "@elara/runtime/bus/accounts/subject-filters";
import { memoryBus } from "@elara/runtime/bus/memory";
import { digest } from "@elara/runtime/id";
import { type IdentityReader, identityReader } from "@elara/runtime/store/read/identity";
import { sqliteStore } from "@elara/runtime/store/sqlite";
import { pino } from "pino";
import { Value } from "typebox/value";
import { AuthConfig } from "../src/config.ts";
import type { Ground } from "../src/ground.ts";
import { type TokenBook, tokenBook } from "../src/people/token-book.ts";
import { type UserBook, userBook } from "../src/people/user-book.ts";
import { openRecords } from "../src/records.ts";
import { allowedSubjects } from "../src/subscribers/allowed-subjects.ts";
import { keepSubscribers } from "../src/subscribers/subscribers.ts";
import { FakeGate } from "./fake-gate.ts";
import { until } from "./stand.ts";

const whole = (user: User): string => `hub.ev.v1.*.*.${user._id}.*`;
const EVERYTHING = ["hub.ev.v1.*.*.*.*"];

describe("subscribers at the gate", () => {
  let ground: Ground;
  let identities: IdentityReader;
  let users: UserBook;
  let tokens: TokenBook;
  let gate: FakeGate;
  let lines: string[];
  let shiftMs: number;
  let serial: number;
  const replicas: { close(): Promise<void> }[] = [];

  beforeEach(async () => {
    lines = [];
    shiftMs = 0;
    serial = 0;
    const log = pino({ level: "debug" }, { write: (line: string) => void lines.push(line) });
    const store = await sqliteStore({ file: ":memory:", log });
    const clock = { now: () => Date.now() + shiftMs, monotonic: () => performance.now() + shiftMs };
    const throttle = { failuresPerAddress: 3 };
    const config = Value.Parse(
      AuthConfig,
      Value.Default(AuthConfig, { allowAll: true, refusalMs: 0, throttle }),
    );
    const bus = memoryBus({ log });
    identities = identityReader({ store, clock, log, marksEveryMs: 20 });
    const only = { hub: { hubId: "testhub" }, config, bus, store, records: openRecords(store), clock, log };
    ground = {
      ...only,
      nudge() {},
      forget: (digests: readonly string[]) => identities.forget(digests),
    } as unknown as Ground;
    users = userBook(ground);
    tokens = tokenBook(ground);
    gate = new FakeGate();
    keep();
  });
  afterEach(async () => {
    for (const replica of replicas.splice(0)) await replica.close();
    await identities.close();
    await ground.bus.close();
    await ground.store.close();
  });

  const keep = (): void => {
    const allowedOf = allowedSubjects(ground.store);
    replicas.push(keepSubscribers({ ground, identities, gate, allowedOf, everyMs: 10 }));
  };
  const user = (name: string, admin = false): Promise<User> =>
    users.create({ name, admin, actor: "system:test" });
  const tokenOf = async (
    { _id: userId }: Pick<User, "_id">,
    scopes: readonly string[] = ["inherit"],
  ): Promise<{ secret: string; id: string; digest: string }> => {
    serial += 1;
    const secret = `secret-${serial}`;
    const wanted = { kind: "api" as const, userId, note: "", scopes: [...scopes] };
    const { publicId } = await tokens.register(digest(secret), wanted, "system:test");
    return { secret, id: publicId, digest: digest(secret) };
  };
  const serviceToken = async (service: string, scopes: string[]) => {
    serial += 1;
    const secret = `secret-${serial}`;
    const wanted = { kind: "service" as const, userId: "", service, note: "", scopes };
    const { publicId } = await tokens.register(digest(secret), wanted, "system:test");
    return { secret, id: publicId, digest: digest(secret) };
  };
  const filtersOf = (id: string): readonly string[] | undefined => gate.kept.get(id)?.filters;
  const filtersToBe = (id: string, filters: readonly string[]) =>
    until(`${id} to get ${filters}`, () => filtersOf(id)?.join() === [...filters].sort().join());
  const rounds = async (count: number): Promise<void> => {
    const [first] = gate.connected;
    assert.ok(first, "somebody is connected");
    const seen = (): number => gate.looked.filter((each) => each === first.subscriber).length;
    const before = seen();
    await until("more rounds", () => seen() >= before + count);
  };

  test("get in by token, stand where they ask, and leave with the token, consumer and all", async () => {
    const ada = await user("ada");
    const { secret, id, digest: key } = await tokenOf(ada);
    assert.equal(await gate.enter(secret), id);
    const position = await gate.ask(id, { from: "all" });
    assert.deepEqual([position.name, position.created], [id, true]);
    assert.deepEqual(position.config.filter_subjects, [whole(ada)]);
    assert.equal((await gate.ask(id)).created, false);
    await tokens.revoke(key, "system:test");
    await until("the connection to end", () => gate.connected.length === 0);
    await until("the consumer to go", () => !gate.kept.has(id));
    assert.equal(await gate.enter(secret), undefined);
    await assert.rejects(gate.ask(id), { code: "NO_CREDENTIALS" });
  });

  test("one connection that cannot be ended, one consumer that cannot be changed hold up nobody", async () => {
    const made = [];
    for (const name of ["ada", "bob", "cy"]) {
      const token = await tokenOf(await user(name));
      await gate.enter(token.secret);
      await gate.ask(token.id);
      made.push(token);
    }
    const [stuck, , last] = gate.connected;
    assert.ok(stuck && last);
    stuck.fails = true;
    for (const { digest: key } of made) await tokens.revoke(key, "system:test");
    await until("the others to be sent away", () => gate.connected.length === 1);
    assert.deepEqual(gate.connected, [stuck]);
    gate.faults.refilter = "";
    stuck.fails = false;
    await until("another try", () => gate.connected.length === 0);
    await until("all consumers to go", () => gate.kept.size === 0);

    const [dan, eve] = [await user("dan"), await user("eve")];
    const [one, two] = [await tokenOf(dan), await tokenOf(eve)];
    for (const { secret, id } of [one, two]) {
      await gate.enter(secret);
      await gate.ask(id);
    }
    gate.faults.refilter = one.id;
    for (const { _id } of [dan, eve]) await users.setAdmin(_id, true, "system:test");
    await filtersToBe(two.id, EVERYTHING);
    assert.deepEqual(filtersOf(one.id), [whole(dan)]);
    gate.faults = {};
    await filtersToBe(one.id, EVERYTHING);
  });

  test("are sent away also where the stream of events is missing", async () => {
    const { secret, digest: key } = await tokenOf(await user("ada"));
    gate.faults.consumers = new HubError("BUS_STREAM_MISSING");
    await gate.enter(secret);
    await tokens.revoke(key, "system:test");
    await until("the connection to end", () => gate.connected.length === 0);
  });

  test("scopes that shrink and grow change what they get, an idle one's before it gets in", async () => {
    const root = await user("root", true);
    const [here, away] = [await tokenOf(root), await tokenOf(root)];
    for (const { secret, id } of [here, away]) {
      await gate.enter(secret);
      await gate.ask(id);
      assert.deepEqual(filtersOf(id), EVERYTHING);
    }
    gate.connected.pop();
    await rounds(8);
    await users.setAdmin(root._id, false, "system:test");
    await filtersToBe(here.id, [whole(root)]);
    assert.deepEqual(filtersOf(away.id), EVERYTHING, "nobody looks at who is away");
    await identities.refresh();
    await gate.enter(away.secret);
    assert.deepEqual(filtersOf(away.id), [whole(root)]);
  });

  test("a renamed user's events go with the user; who takes the name is another", async () => {
    const ada = await user("ada");
    const watch = await serviceToken("watch", ["read:events!user=ada"]);
    await gate.enter(watch.secret);
    await gate.ask(watch.id);
    assert.deepEqual(filtersOf(watch.id), [whole(ada)]);
    const own = await tokenOf(ada);
    await gate.enter(own.secret);
    await gate.ask(own.id);
    await users.rename(ada._id, "grace", "system:test");
    await until("ada's events to go", () => !filtersOf(watch.id)?.includes(whole(ada)));
    await rounds(2);
    assert.deepEqual(filtersOf(own.id), [whole(ada)]);
    shiftMs += 25 * 3_600_000;
    const { items } = await ground.records.users.find({ where: { nameKey: "ada" } });
    for (const { _id, rev } of items) await ground.records.users.delete(_id, rev);
    const heir = await user("ada");
    await filtersToBe(watch.id, [whole(heir)]);
    assert.deepEqual(filtersOf(own.id), [whole(ada)]);
  });

  test("what lasts for a while only takes events away, not the place: too many names", async () => {
    const all = await Promise.all(Array.from({ length: 101 }, (_, index) => user(`many${index}`)));
    const few = all.slice(0, 2).map(({ name }) => `read:events!user=${name}`);
    const watch = await serviceToken("watch", few);
    await gate.enter(watch.secret);
    await gate.ask(watch.id);
    const { start } = gate.kept.get(watch.id) ?? assert.fail();
    const many = all.map(({ name }) => `read:events!user=${name}`);
    await tokens.renew(watch.digest, many, "system:test");
    await filtersToBe(watch.id, NO_EVENT);
    await assert.rejects(gate.ask(watch.id), { code: "SUBSCRIBER_FILTERS_MANY" });
    await rounds(8);
    assert.equal(gate.kept.get(watch.id)?.start, start);
    await tokens.renew(watch.digest, few, "system:test");
    await filtersToBe(watch.id, all.slice(0, 2).map(whole));
  });

  test("what lasts for a while only takes events away, not the place: nothing to follow", async () => {
    const watch = await serviceToken("watch", ["read:events"]);
    await gate.enter(watch.secret);
    await gate.ask(watch.id);
    await tokens.renew(watch.digest, ["list:users"], "system:test");
    await until("the connection to end", () => gate.connected.length === 0);
    await filtersToBe(watch.id, NO_EVENT);
    await tokens.renew(watch.digest, ["read:events"], "system:test");
    await identities.refresh();
    assert.equal(await gate.enter(watch.secret), watch.id);
    assert.deepEqual(filtersOf(watch.id), EVERYTHING);
  });

  test("a user who is being deleted is sent away", async () => {
    const ada = await user("ada");
    const { secret, id } = await tokenOf(ada);
    await gate.enter(secret);
    await gate.ask(id);
    await users.markDeleting(ada._id, "system:test");
    await until("the connection to end", () => gate.connected.length === 0);
    await assert.rejects(gate.ask(id), { code: "NO_CREDENTIALS" });
  });

  test("two replicas keep one gate", async () => {
    keep();
    const ada = await user("ada");
    const [stays, goes] = [await tokenOf(ada), await tokenOf(ada)];
    for (const { secret, id } of [stays, goes]) {
      await gate.enter(secret);
      await gate.ask(id);
    }
    await users.setAdmin(ada._id, true, "system:test");
    await tokens.revoke(goes.digest, "system:test");
    await until("one to go", () => gate.connected.length === 1 && gate.kept.size === 1);
    await filtersToBe(stays.id, EVERYTHING);
    assert.deepEqual(
      lines.filter((line) => JSON.parse(line).level > 40),
      [],
    );
  });

  test("of one user keep nobody else out, and are let in again when there is room", async () => {
    const [ada, bob] = [await user("ada"), await user("bob")];
    const mine = await Promise.all(Array.from({ length: 4 }, () => tokenOf(ada)));
    for (let index = 0; index < 20; index += 1) assert.ok(await gate.enter(mine[index % 4]?.secret ?? ""));
    await until("a count", () => gate.looked.length > 40);
    assert.equal(await gate.enter(mine[0]?.secret ?? ""), undefined);
    assert.ok(lines.some((line) => JSON.parse(line).code === "SUBSCRIBER_CONNECTIONS_MANY"));
    assert.ok(await gate.enter((await tokenOf(bob)).secret));
    gate.connected.splice(0, 10);
    await until("room", async () => (await gate.enter(mine[0]?.secret ?? "")) !== undefined);
  });

  test("have twenty consumers of one owner", async () => {
    const ada = await user("ada");
    const some = await Promise.all(Array.from({ length: 21 }, () => tokenOf(ada)));
    for (const { id } of some.slice(0, 20)) await gate.ask(id);
    await assert.rejects(gate.ask(some[20]?.id ?? ""), { code: "SUBSCRIBER_CONSUMERS_MANY" });
    await gate.ask(some[0]?.id ?? "", { from: "all" });
    await gate.ask((await tokenOf(await user("bob"))).id);
  });

  test("cost a look each while they are here; those who rest are only looked through by pages", async () => {
    const ada = await user("ada");
    const [here, rests, gone] = [await tokenOf(ada), await tokenOf(ada), await tokenOf(ada)];
    for (const { id } of [here, rests, gone]) await gate.ask(id);
    await gate.enter(here.secret);
    gate.looked.splice(0);
    const listed = gate.listed;
    await tokens.revoke(gone.digest, "system:test");
    await until("the page to take away whose token is gone", () => !gate.kept.has(gone.id));
    assert.ok(!gate.looked.includes(rests.id));
    assert.ok(gate.looked.length > 5 * (gate.listed - listed));
    assert.ok(gate.kept.has(rests.id));
  });

  test("good tokens get in from an address that sends wrong ones", async () => {
    const { secret, id } = await tokenOf(await user("ada"));
    for (let index = 0; index < 10; index += 1)
      assert.equal(await gate.enter(`wrong-${index}`, "198.51.100.7"), undefined);
    assert.equal(await gate.enter(secret, "198.51.100.7"), id);
    const refusals = lines.filter((line) => line.includes("subscriber refused"));
    assert.equal(refusals.length, 3, "the log is not theirs to fill");
  });

  test("no token, no scope: refused", async () => {
    assert.equal(await gate.enter(""), undefined);
    const { secret } = await tokenOf(await user("ada"), ["read:users!user"]);
    assert.equal(await gate.enter(secret), undefined);
    assert.ok(!lines.join("").includes(secret));
  });

  test("are told of what the log no longer has, and of a place in another one", async () => {
    const { id } = await tokenOf(await user("ada"));
    gate.log = { first: 5, last: 9 };
    await gate.ask(id, { from: "all" });
    assert.equal((await gate.ask(id)).missed, undefined);
    gate.log = { first: 8, last: 20 };
    assert.deepEqual((await gate.ask(id)).missed, { from: 5, to: 7 });
    for (const [sequence, words] of [
      [7, /no longer kept; the earliest is 8/],
      [22, /not of this log; the next is 21/],
    ] as const)
      await assert.rejects(gate.ask(id, { from: "sequence", sequence }), (error: Error) => {
        assert.ok(
          error instanceof HubError && error.code === "EVENTS_CURSOR_EXPIRED" && error.status === 410,
        );
        return words.test(error.message);
      });
    assert.equal((await gate.ask(id, { from: "sequence", sequence: 21 })).missed, undefined);
  });

  test("asking for what they may not have is refused", async () => {
    const { id } = await tokenOf(await user("ada"));
    await assert.rejects(gate.ask(id, { filter: "hub.ev.v1.*.*.somebody.*" }), {
      code: "SUBSCRIBER_NOTHING_ALLOWED",
    });
    assert.equal(gate.kept.size, 0);
  });
});
