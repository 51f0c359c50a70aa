import { strict as assert } from "node:assert";
import { after, before, describe, it, type TestContext } from "node:test";
import { busSubject, type EventContract, type OrderContract, orderSubject } from "@elara/contracts";
import { jetstreamManager } from "@nats-io/jetstream";
import { connect } from "@nats-io/transport-node";
import { Type } from "typebox";
// @boundaries-ignore the real program is started by the fixture that all rooms share
import { type NatsFixture, natsMissing, startNats } from "../../../../test/fixtures/nats.ts";
import type { Bus } from "../../src/bus/bus.ts";
import { envelope } from "../../src/bus/envelope.ts";
import { natsBus } from "../../src/bus/nats.ts";
import { EVENT_STREAM } from "../../src/bus/nats-stream.ts";
import { eventually } from "../fixtures/eventually.ts";
import { keptLog } from "../fixtures/log.ts";

const skip = await natsMissing();
const Data = Type.Object({ n: Type.Integer() });
const fact: EventContract<typeof Data> = { type: "suite.done", kind: "fact", summary: "", data: Data };
const notice: EventContract<typeof Data> = { type: "suite.seen", kind: "notice", summary: "", data: Data };
const order: OrderContract<typeof Data, typeof Data> = {
  type: "suite.do",
  summary: "",
  request: Data,
  answer: Data,
};
const event = (n: number) =>
  envelope(fact, { n }, { source: "s", subject: "s", actor: "s", at: Date.now(), partitionKey: "-" });

/** The numbers of so many facts behind a position. */
async function take(bus: Bus, after: string, count: number): Promise<unknown[]> {
  const closing = new AbortController();
  const numbers: unknown[] = [];
  for await (const { event: kept } of bus.events.read({ after, signal: closing.signal })) {
    numbers.push(kept.data.n);
    if (numbers.length === count) closing.abort();
  }
  return numbers;
}

describe("bus over nats", { concurrency: true, ...(skip && { skip }) }, () => {
  const servers: NatsFixture[] = [];
  after(() => Promise.all(servers.map((server) => server.close())));
  const serve = async (options?: Parameters<typeof startNats>[0]) => {
    const server = await startNats(options);
    servers.push(server);
    return server;
  };
  const open = async (t: TestContext, server: NatsFixture) => {
    const { log, lines } = keptLog();
    const bus = await natsBus({ servers: [server.address], log, name: "test" });
    t.after(() => bus.close());
    return { bus, told: (message: string) => lines.filter((line) => line.msg === message).length };
  };
  const streamOf = async (t: TestContext, server: NatsFixture) => {
    const raw = await connect({ servers: server.address });
    t.after(() => raw.close());
    return async () => (await (await jetstreamManager(raw)).streams.info(EVENT_STREAM)).state.messages;
  };

  it("opens without a server, fails at once, and works as soon as one is there", async (t) => {
    const server = await serve();
    await server.kill();
    const { bus, told } = await open(t, server);
    assert.equal(bus.connected, false);
    await assert.rejects(bus.request(order, { n: 1 }), { code: "BUS_AWAY" });
    bus.reply(order, async ({ n }) => ({ n: n + 1 }));
    assert.equal(told("bus not reached, trying again"), 1);
    await server.restart();
    await eventually(() => bus.connected, "the first connection");
    assert.deepEqual(await bus.request(order, { n: 1 }), { n: 2 });
    await bus.publish(fact, event(1), {});
  });

  it("keeps facts over kill -9, each once, and makes the stream again on an empty server", async (t) => {
    const server = await serve();
    const { bus } = await open(t, server);
    const first = event(1);
    await bus.publish(fact, first, {});
    await bus.publish(fact, first, {});
    bus.notify(notice, { n: 1 }, {});
    await server.kill();
    await eventually(() => !bus.connected, "the loss");
    await server.restart();
    await eventually(() => bus.connected, "the return");
    await bus.publish(fact, first, {});
    await bus.publish(fact, event(2), {});
    assert.equal(await (await streamOf(t, server))(), 2);

    await server.restart({ forget: true });
    await eventually(async () => {
      await bus.publish(fact, event(3), {}).catch(() => {});
      return bus.connected;
    }, "the return");
    await bus.publish(fact, event(4), {});
    assert.ok((await (await streamOf(t, server))()) >= 1);
  });

  it("reads on over what an administrator has taken out of the middle", async (t) => {
    const server = await serve();
    const { bus } = await open(t, server);
    for (let n = 0; n < 3; n += 1) await bus.publish(fact, event(n), { userId: "stays" });
    const { earliest } = await bus.events.span();
    for (let n = 3; n < 6; n += 1) await bus.publish(fact, event(n), { userId: "goes" });
    for (let n = 6; n < 9; n += 1) await bus.publish(fact, event(n), { userId: "stays" });
    const raw = await connect({ servers: server.address });
    t.after(() => raw.close());
    const { purged } = await (await jetstreamManager(raw)).streams.purge(EVENT_STREAM, {
      filter: busSubject(fact, "goes", undefined),
    });
    assert.equal(purged, 3);
    assert.deepEqual(await take(bus, earliest, 6), [0, 1, 2, 6, 7, 8]);
    // Its own holes apart, what is no longer kept is still told.
    await (await jetstreamManager(raw)).streams.purge(EVENT_STREAM, { seq: Number(earliest) + 8 });
    await assert.rejects(take(bus, earliest, 2), { code: "EVENTS_CURSOR_EXPIRED" });
  });

  it("begins a new stream behind every position of the one before, made by several at once", async (t) => {
    const server = await serve();
    const opened = await Promise.all(Array.from({ length: 4 }, () => open(t, server)));
    const spans = await Promise.all(opened.map(({ bus }) => bus.events.span()));
    assert.equal(new Set(spans.map(({ earliest }) => earliest)).size, 1);
    const [first] = opened;
    assert.ok(first);
    for (let n = 0; n < 3; n += 1) await first.bus.publish(fact, event(n), {});
    const { latest } = await first.bus.events.span();
    assert.equal(Number(latest), Number(spans[0]?.earliest) + 3);
    await server.restart({ forget: true });
    await eventually(() => first.bus.connected && first.bus.events.span().then(() => true), "the return");
    for (let n = 0; n < 5; n += 1) await first.bus.publish(fact, event(n), {});
    assert.ok(Number((await first.bus.events.span()).earliest) > Number(latest));
    await assert.rejects(take(first.bus, latest, 1), { code: "EVENTS_CURSOR_EXPIRED" });
  });

  it("says what is missing when the server has no JetStream; notices and orders work", async (t) => {
    const server = await serve({ jetstream: false });
    const { bus } = await open(t, server);
    await assert.rejects(bus.publish(fact, event(1), {}), { code: "BUS_STREAM_MISSING", status: 503 });
    bus.reply(order, async ({ n }) => ({ n }));
    assert.deepEqual(await bus.request(order, { n: 1 }), { n: 1 });
  });

  it("survives what others send: rubbish is dropped or refused", async (t) => {
    const server = await serve();
    const { bus, told } = await open(t, server);
    const got: number[] = [];
    bus.subscribe(fact, ({ n }) => void got.push(n));
    bus.reply(order, async ({ n }) => ({ n }));
    const raw = await connect({ servers: server.address });
    t.after(() => raw.close());
    await bus.request(order, { n: 1 });
    for (const rubbish of ["", "{", "[]", '{"specversion":"1.0"}', new Uint8Array([0xff, 0xfe])]) {
      raw.publish(busSubject(fact, "u", "o"), rubbish);
      const reply = await raw.request(orderSubject(order), rubbish, { timeout: 2000 });
      assert.match(reply.string(), /"BUS_MESSAGE_INVALID"/);
    }
    await bus.publish(fact, event(1), {});
    await eventually(() => got.length === 1, "the event behind the rubbish");
    assert.equal(told("event not handled"), 5);
  });

  it("notices a server that hangs by its pings, and orders end at 2 s until then", async (t) => {
    const server = await serve();
    const { bus } = await open(t, server);
    bus.reply(order, async ({ n }) => ({ n }));
    await bus.request(order, { n: 1 });
    server.freeze();
    t.after(() => server.thaw());
    const began = performance.now();
    await assert.rejects(bus.request(order, { n: 1 }), { code: "BUS_TIMEOUT" });
    assert.ok(performance.now() - began < 3000);
    await eventually(() => !bus.connected, "the loss", 20_000);
    await assert.rejects(bus.request(order, { n: 1 }), { code: "BUS_AWAY" });
    server.thaw();
    await eventually(() => bus.connected, "the return", 20_000);
    assert.deepEqual(await bus.request(order, { n: 2 }), { n: 2 });
  });
});

describe("bus over nats, loop standing", { ...(skip && { skip }) }, () => {
  let server: NatsFixture;
  before(async () => {
    server = await startNats();
  });
  after(() => server.close());

  it("leaves its queue groups when the loop stood for more than a second, and joins them again", async (t) => {
    const { log, lines } = keptLog();
    const bus = await natsBus({ servers: [server.address], log, name: "test" });
    t.after(() => bus.close());
    bus.reply(order, async ({ n }) => ({ n }));
    assert.deepEqual(await bus.request(order, { n: 1 }), { n: 1 });
    const raw = await connect({ servers: server.address });
    t.after(() => raw.close());
    const ask = () => raw.request(orderSubject(order), "{}", { timeout: 1000 });
    const told = (message: string) => lines.some((line) => line.msg === message);
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1500);
    await eventually(() => told("event loop stood, queue groups left"), "the stall");
    await assert.rejects(ask(), /no responders/i);
    assert.deepEqual(await bus.request(order, { n: 2 }), { n: 2 }, "a repetition reaches it again");
    assert.ok(told("event loop caught up, queue groups joined"));
  });
});
