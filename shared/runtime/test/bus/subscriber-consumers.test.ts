import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { jetstream, jetstreamManager } from "@nats-io/jetstream";
import { connect, type NatsConnection } from "@nats-io/transport-node";
// @boundaries-ignore the real program is started by the fixture that all rooms share
import { type NatsFixture, natsMissing, startNats } from "../../../../test/fixtures/nats.ts";
import { subscriberConsumers } from "../../src/bus/accounts/consumers.ts";
import { NO_EVENT } from "../../src/bus/accounts/subject-filters.ts";
import { EVENT_STREAM } from "../../src/bus/nats-stream.ts";

const of = (user: string): string => `hub.ev.v1.server.ready.${user}.s`;
const all = (user: string): string => `hub.ev.v1.*.*.${user}.*`;

describe("consumers of subscribers", { skip: (await natsMissing()) ?? false }, () => {
  let server: NatsFixture;
  let hub: NatsConnection;
  let aheadMs = 0;
  const consumers = subscriberConsumers(() => hub, { now: () => Date.now() + aheadMs });
  const owner = "user:u1";
  let serial = 0;
  const name = (): string => `a${++serial}`;

  before(async () => {
    server = await startNats();
    hub = await connect({ servers: server.address });
    const { streams } = await jetstreamManager(hub);
    // A log made anew begins high, so that no position of the old one fits.
    const config = { name: EVENT_STREAM, subjects: ["hub.ev.v1.>"], first_seq: 1_000_000 };
    await streams.add(config as Parameters<typeof streams.add>[0]);
  });
  after(async () => {
    await hub?.close();
    await server?.close();
  });

  const publish = async (...texts: readonly [user: string, text: string][]): Promise<void> => {
    for (const [user, text] of texts) await jetstream(hub).publish(of(user), text);
  };
  /** What it gets within a moment, acknowledged. */
  const read = async (subscriber: string): Promise<string[]> => {
    const consumer = await jetstream(hub).consumers.get(EVENT_STREAM, subscriber);
    const texts: string[] = [];
    for await (const message of await consumer.fetch({ max_messages: 100, expires: 1000 })) {
      texts.push(message.string());
      await message.ackAck();
    }
    return texts;
  };
  const known = async (subscriber: string) => {
    const found = await consumers.get(subscriber);
    assert.ok(found);
    return found;
  };

  test("start where they are told", async () => {
    await publish(["who", "first"]);
    const middle = (await jetstream(hub).publish(of("who"), "second")).seq;
    const filters = [all("who")];
    for (const [start, wanted] of [
      [{ from: "all" }, ["first", "second"]],
      [{ from: "sequence", sequence: middle }, ["second"]],
      [{ from: "time", time: new Date(Date.now() - 60_000).toISOString() }, ["first", "second"]],
      [{ from: "time", time: new Date(Date.now() + 60_000).toISOString() }, []],
      [{ from: "new" }, []],
    ] as const) {
      const subscriber = name();
      await consumers.make(subscriber, { filters, wish: filters, owner, start });
      assert.deepEqual(await read(subscriber), wanted, start.from);
    }
  });

  test("a wider filter brings what it went past, told from what it knew before", async () => {
    const subscriber = name();
    await consumers.make(subscriber, { filters: [all("ada")], wish: [">"], owner, start: { from: "new" } });
    const before = await known(subscriber);
    await publish(["ada", "ada 1"], ["bob", "bob 1"], ["ada", "ada 2"]);
    assert.deepEqual(await read(subscriber), ["ada 1", "ada 2"]);
    await consumers.refilter(before, [all("ada"), all("bob")]);
    assert.ok((await read(subscriber)).includes("bob 1"));
    await publish(["bob", "bob 2"]);
    assert.deepEqual(await read(subscriber), ["bob 2"]);
  });

  test("a wider filter brings what it skipped last", async () => {
    const subscriber = name();
    await consumers.make(subscriber, { filters: [all("sam")], wish: [">"], owner, start: { from: "new" } });
    await publish(["sam", "sam 1"], ["tom", "tom 1"]);
    assert.deepEqual(await read(subscriber), ["sam 1"]);
    await consumers.refilter(await known(subscriber), [all("sam"), all("tom")]);
    assert.deepEqual(await read(subscriber), ["tom 1"]);
  });

  test("a wider filter brings nothing from before the start", async () => {
    await publish(["cy", "long ago"]);
    const subscriber = name();
    await consumers.make(subscriber, { filters: [all("dan")], wish: [">"], owner, start: { from: "new" } });
    await publish(["dan", "dan 1"]);
    assert.deepEqual(await read(subscriber), ["dan 1"]);
    await consumers.refilter(await known(subscriber), [all("cy"), all("dan")]);
    await publish(["cy", "now"]);
    assert.deepEqual(await read(subscriber), ["now"]);
  });

  test("a wider filter goes back a minute, no further", async (t) => {
    const subscriber = name();
    await consumers.make(subscriber, { filters: [all("ivy")], wish: [">"], owner, start: { from: "new" } });
    await publish(["ivy", "ivy 1"], ["jan", "long ago"], ["ivy", "ivy 2"]);
    assert.deepEqual(await read(subscriber), ["ivy 1", "ivy 2"]);
    t.after(() => {
      aheadMs = 0;
    });
    aheadMs = 3_600_000;
    await consumers.refilter(await known(subscriber), [all("ivy"), all("jan")]);
    await publish(["jan", "now"]);
    assert.deepEqual(await read(subscriber), ["now"]);
  });

  test("one that was to get nothing for a while goes on where it stood", async (t) => {
    const subscriber = name();
    await consumers.make(subscriber, { filters: [all("kay")], wish: [">"], owner, start: { from: "new" } });
    await publish(["kay", "before"], ["lea", "not for it"]);
    assert.deepEqual(await read(subscriber), ["before"]);
    await consumers.refilter(await known(subscriber), NO_EVENT);
    await publish(["kay", "meanwhile"]);
    assert.deepEqual(await read(subscriber), []);
    await consumers.refilter(await known(subscriber), NO_EVENT, [all("kay")]);
    t.after(() => {
      aheadMs = 0;
    });
    aheadMs = 3_600_000;
    await consumers.refilter(await known(subscriber), [all("kay"), all("lea")]);
    assert.deepEqual(await read(subscriber), ["meanwhile"]);
  });

  test("going back loses nothing that was not acknowledged", async () => {
    const subscriber = name();
    await consumers.make(subscriber, { filters: [all("max")], wish: [">"], owner, start: { from: "new" } });
    await publish(["max", "unacknowledged"], ["ned", "ned 1"], ["max", "max 2"]);
    const consumer = await jetstream(hub).consumers.get(EVENT_STREAM, subscriber);
    assert.equal((await consumer.next({ expires: 1000 }))?.string(), "unacknowledged");
    await (await consumer.next({ expires: 1000 }))?.ackAck();
    await consumers.refilter(await known(subscriber), [all("max"), all("ned")]);
    assert.deepEqual(await read(subscriber), ["unacknowledged", "ned 1", "max 2"]);
  });

  test("get an event once that two of their filters match", async () => {
    const subscriber = name();
    const filters = [all("ola"), "hub.ev.v1.server.*.*.*"];
    await consumers.make(subscriber, { filters, wish: [">"], owner, start: { from: "new" } });
    await publish(["ola", "once"]);
    assert.deepEqual(await read(subscriber), ["once"]);
  });

  test("without the mark of the start nothing before now is for them", async () => {
    const subscriber = name();
    await consumers.make(subscriber, { filters: [all("pia")], wish: [">"], owner, start: { from: "all" } });
    await publish(["pia", "pia 1"], ["quin", "quin 1"], ["pia", "pia 2"]);
    assert.deepEqual(await read(subscriber), ["pia 1", "pia 2"]);
    const { consumers: api } = await jetstreamManager(hub);
    const { config, delivered } = await api.info(EVENT_STREAM, subscriber);
    const { "elara-start": _, ...metadata } = config.metadata ?? {};
    await api.update(EVENT_STREAM, subscriber, { metadata });
    assert.equal((await known(subscriber)).start, delivered.stream_seq + 1);
  });

  test("a narrower filter takes away, the wish is kept", async () => {
    const subscriber = name();
    const wish = ["hub.ev.v1.server.>"];
    await consumers.make(subscriber, {
      filters: [all("eve"), all("fay")],
      wish,
      owner,
      start: { from: "new" },
    });
    await consumers.refilter(await known(subscriber), [all("eve")]);
    await publish(["fay", "fay 1"], ["eve", "eve 1"]);
    assert.deepEqual(await read(subscriber), ["eve 1"]);
    assert.deepEqual((await known(subscriber)).wish, wish);
  });

  test("are listed without those of others, and removed", async () => {
    const { consumers: api } = await jetstreamManager(hub);
    await api.add(EVENT_STREAM, { durable_name: "of-the-hub" });
    const subscriber = name();
    await consumers.make(subscriber, { filters: [all("gus")], wish: [">"], owner, start: { from: "all" } });
    const listed: string[] = [];
    for await (const page of consumers.list()) listed.push(...page.map((each) => each.subscriber));
    assert.ok(listed.includes(subscriber) && !listed.includes("of-the-hub"));
    assert.equal(await consumers.remove(subscriber), true);
    assert.equal(await consumers.remove(subscriber), false);
    assert.equal(await consumers.get(subscriber), undefined);
  });

  test("vanish when nobody uses them for 14 days", async () => {
    const subscriber = name();
    await consumers.make(subscriber, { filters: [all("hal")], wish: [">"], owner, start: { from: "all" } });
    const { consumers: api } = await jetstreamManager(hub);
    const { config } = await api.info(EVENT_STREAM, subscriber);
    assert.equal(Number(config.inactive_threshold) / 1e9, 14 * 86_400);
  });

  test("that the log went past tell where they stood", async () => {
    const subscriber = name();
    await consumers.make(subscriber, { filters: [all("roy")], wish: [">"], owner, start: { from: "new" } });
    await publish(["roy", "roy 1"]);
    assert.deepEqual(await read(subscriber), ["roy 1"]);
    const { place } = await known(subscriber);
    assert.ok((await consumers.span()).first < place);
    const { streams } = await jetstreamManager(hub);
    await streams.update(EVENT_STREAM, { max_bytes: 1000 });
    for (let index = 0; index < 20; index += 1) await publish(["roy", "x".repeat(50)]);
    assert.equal((await known(subscriber)).place, place);
    assert.ok((await consumers.span()).first > place);
  });
});
