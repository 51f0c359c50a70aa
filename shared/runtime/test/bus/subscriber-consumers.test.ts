import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { jetstream, jetstreamManager } from "@nats-io/jetstream";
import { connect, type NatsConnection } from "@nats-io/transport-node";
// @boundaries-ignore the real program is started by the fixture that all rooms share
import { type NatsFixture, natsMissing, startNats } from "../../../../test/fixtures/nats.ts";
import { subscriberConsumers } from "../../src/bus/accounts/consumers.ts";
import { EVENT_STREAM } from "../../src/bus/nats-stream.ts";

const of = (user: string): string => `hub.ev.v1.server.ready.${user}.s`;
const all = (user: string): string => `hub.ev.v1.*.*.${user}.*`;

describe("consumers of subscribers", { skip: (await natsMissing()) ?? false }, () => {
  let server: NatsFixture;
  let hub: NatsConnection;
  const consumers = subscriberConsumers(() => hub);
  let serial = 0;
  const name = (): string => `a${++serial}`;

  before(async () => {
    server = await startNats();
    hub = await connect({ servers: server.address });
    const { streams } = await jetstreamManager(hub);
    await streams.add({ name: EVENT_STREAM, subjects: ["hub.ev.v1.>"] });
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
      await consumers.make(subscriber, { filters, wish: filters, start });
      assert.deepEqual(await read(subscriber), wanted, start.from);
    }
  });

  test("a wider filter brings what it went past, told from what it knew before", async () => {
    const subscriber = name();
    await consumers.make(subscriber, { filters: [all("ada")], wish: [">"], start: { from: "new" } });
    const before = await known(subscriber);
    await publish(["ada", "ada 1"], ["bob", "bob 1"], ["ada", "ada 2"]);
    assert.deepEqual(await read(subscriber), ["ada 1", "ada 2"]);
    await consumers.refilter(before, [all("ada"), all("bob")]);
    assert.ok((await read(subscriber)).includes("bob 1"));
    await publish(["bob", "bob 2"]);
    assert.deepEqual(await read(subscriber), ["bob 2"]);
  });

  test("a wider filter brings nothing from before the start", async () => {
    await publish(["cy", "long ago"]);
    const subscriber = name();
    await consumers.make(subscriber, { filters: [all("dan")], wish: [">"], start: { from: "new" } });
    await publish(["dan", "dan 1"]);
    assert.deepEqual(await read(subscriber), ["dan 1"]);
    await consumers.refilter(await known(subscriber), [all("cy"), all("dan")]);
    await publish(["cy", "now"]);
    assert.deepEqual(await read(subscriber), ["now"]);
  });

  test("a narrower filter takes away, the wish is kept", async () => {
    const subscriber = name();
    const wish = ["hub.ev.v1.server.>"];
    await consumers.make(subscriber, { filters: [all("eve"), all("fay")], wish, start: { from: "new" } });
    await consumers.refilter(await known(subscriber), [all("eve")]);
    await publish(["fay", "fay 1"], ["eve", "eve 1"]);
    assert.deepEqual(await read(subscriber), ["eve 1"]);
    assert.deepEqual((await known(subscriber)).wish, wish);
  });

  test("are listed without those of others, and removed", async () => {
    const { consumers: api } = await jetstreamManager(hub);
    await api.add(EVENT_STREAM, { durable_name: "of-the-hub" });
    const subscriber = name();
    await consumers.make(subscriber, { filters: [all("gus")], wish: [">"], start: { from: "all" } });
    const listed = (await consumers.list()).map((each) => each.subscriber);
    assert.ok(listed.includes(subscriber) && !listed.includes("of-the-hub"));
    assert.equal(await consumers.remove(subscriber), true);
    assert.equal(await consumers.remove(subscriber), false);
    assert.equal(await consumers.get(subscriber), undefined);
  });

  test("vanish when nobody uses them for 14 days", async () => {
    const subscriber = name();
    await consumers.make(subscriber, { filters: [all("hal")], wish: [">"], start: { from: "all" } });
    const { consumers: api } = await jetstreamManager(hub);
    const { config } = await api.info(EVENT_STREAM, subscriber);
    assert.equal(Number(config.inactive_threshold) / 1e9, 14 * 86_400);
  });
});
