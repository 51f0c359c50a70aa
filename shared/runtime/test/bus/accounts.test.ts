import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { busSubject, HubError, ServerReady } from "@elara/contracts";
import { AckPolicy, type ConsumerInfo, jetstream, jetstreamManager } from "@nats-io/jetstream";
import { type AuthorizationRequest, decode, encodeAuthorizationResponse, encodeUser } from "@nats-io/jwt";
import { connect, type Msg, type NatsConnection, nkeyAuthenticator } from "@nats-io/transport-node";
// @boundaries-ignore the real program is started by the fixture that all rooms share
import { type NatsFixture, natsMissing, startNats } from "../../../../test/fixtures/nats.ts";
import { type BusKeys, busKeys } from "../../src/bus/accounts/bus-keys.ts";
import type { EventGate } from "../../src/bus/accounts/event-gate.ts";
import { natsGate } from "../../src/bus/accounts/nats-gate.ts";
import { assertAccounts } from "../../src/bus/accounts/server-account.ts";
import { serverConfiguration } from "../../src/bus/accounts/server-configuration.ts";
import { inboxPrefixOf, nextSubject, POSITION_SUBJECT } from "../../src/bus/accounts/subjects.ts";
import { EVENT_STREAM } from "../../src/bus/nats-stream.ts";
import { eventually } from "../fixtures/eventually.ts";
import { silentLog } from "../fixtures/log.ts";

const missing = await natsMissing();
const keys = busKeys(Buffer.alloc(32, 7));
const ORDER = "hub.or.v1.spawn.start";
const FACT = busSubject(ServerReady, "u1", "s1");
const API = "$JS.API";

/** A nats-server with the hub's accounts, and who is within. */
async function serverWithHub() {
  const server = await startNats({ configuration: (place) => serverConfiguration(keys, place) });
  const hub = await within(server, keys);
  const { streams } = await jetstreamManager(hub);
  await streams.add({ name: EVENT_STREAM, subjects: ["hub.ev.v1.>"] });
  /** All that arrives in INTERNAL but for what servers and JetStream say themselves. */
  const heard: string[] = [];
  hub.subscribe(">", {
    callback: (_, message) => {
      const { subject } = message;
      if (!subject.startsWith("$") && !subject.startsWith("_")) heard.push(`${subject} ${message.string()}`);
    },
  });
  // What JetStream delivers keeps the subject of the event, and reaches only who listens on exactly the place.
  const trapped: string[] = [];
  hub.subscribe(ORDER, { callback: (_, { subject }) => void trapped.push(subject) });
  await hub.flush();
  return { server, hub, heard, trapped };
}

const within = (server: NatsFixture, { hub }: BusKeys): Promise<NatsConnection> =>
  connect({
    servers: server.address,
    authenticator: nkeyAuthenticator(hub.getSeed()),
    inboxPrefix: "_INBOX_hub",
  });

describe("accounts on NATS", { skip: missing ?? false }, () => {
  describe("who has a pass", () => {
    const subscribers = new Map([
      ["token-of-one", "a1"],
      ["token-of-two", "a2"],
    ]);
    let world: Awaited<ReturnType<typeof serverWithHub>>;
    let gate: EventGate;
    const open: NatsConnection[] = [];
    const enter = async (token: string, more: object = {}): Promise<NatsConnection> => {
      const connection = await connect({
        servers: world.server.address,
        token,
        inboxPrefix: inboxPrefixOf(token),
        reconnect: false,
        ...more,
      });
      open.push(connection);
      return connection;
    };

    before(async () => {
      world = await serverWithHub();
      gate = natsGate({ servers: [world.server.address], keys, log: silentLog, name: "test" });
      gate.open({
        async admit({ token }) {
          const subscriber = subscribers.get(token);
          return subscriber === undefined ? undefined : { subscriber, until: Date.now() + 60_000 };
        },
        async position(subscriber, wish) {
          if (JSON.stringify(wish).includes("wrong"))
            throw new HubError("SUBSCRIBER_POSITION_INVALID", { message: "from: must be known" });
          const filters = [`hub.ev.v1.server.*.${subscriber === "a1" ? "u1" : "u2"}.*`];
          await gate.consumers.make(subscriber, {
            filters,
            wish: [">"],
            owner: "user:u",
            start: { from: "all" },
          });
          return {
            stream_name: EVENT_STREAM,
            name: subscriber,
            config: { filter_subjects: filters, ack_policy: "explicit" },
            created: true,
          };
        },
      });
      await eventually(async () => {
        try {
          await (await enter("token-of-one")).close();
          return true;
        } catch {
          return false;
        }
      }, "the gate to be open");
    });
    after(async () => {
      for (const connection of open) await connection.close();
      await gate?.close();
      await world?.hub.close();
      await world?.server.close();
    });

    test("token, or password with any name, lets in; anything else is refused in the same words", async () => {
      await enter("token-of-one");
      const byPassword = { token: undefined, user: "whoever", pass: "token-of-two" };
      await enter("token-of-two", byPassword);
      const words = new Set<string>();
      const none = { token: undefined };
      for (const more of [
        { token: "wrong" },
        none,
        { ...none, user: "a1", pass: "" },
        { ...none, user: "a1", pass: "a1" },
      ])
        await assert.rejects(enter("-", more), (error: Error) => words.add(error.message) !== undefined);
      const strange = busKeys(Buffer.alloc(32, 8));
      await assert.rejects(within(world.server, strange), /Authorization/i);
      assert.equal(words.size, 1, [...words].join(" | "));
    });

    test("reads from its own consumer, and its acknowledgements count", async () => {
      const one = await enter("token-of-one");
      const position = (await one.request(POSITION_SUBJECT, "{}")).json<ConsumerInfo>();
      await jetstream(world.hub).publish(FACT, "told");
      await jetstream(world.hub).publish(busSubject(ServerReady, "u2", "s2"), "not for one");
      const consumer = jetstream(one).consumers.getConsumerFromInfo(position);
      const message = await consumer.next({ expires: 5000, bind: true });
      assert.equal(message?.subject, FACT);
      assert.ok(await message?.ackAck(), "acknowledged");
      assert.equal(await consumer.next({ expires: 1000, bind: true }), null, "nothing of others");
    });

    test("a fault of its wish is told to it", async () => {
      const one = await enter("token-of-one");
      const { error } = (await one.request(POSITION_SUBJECT, '{"from":"wrong"}')).json<{ error: object }>();
      assert.deepEqual(error, { code: "SUBSCRIBER_POSITION_INVALID", message: "from: must be known" });
      const broken = (await one.request(POSITION_SUBJECT, "{")).json<{ error: { code: string } }>();
      assert.equal(broken.error.code, "BODY_INVALID");
    });

    test("may publish nothing else: no consumer, no stream, no order, no event, nobody's inbox", async () => {
      const one = await enter("token-of-one");
      const refused = refusals(one);
      const push = {
        stream_name: EVENT_STREAM,
        config: { name: "a1", durable_name: "a1", ack_policy: "none", deliver_subject: ORDER },
      };
      const forbidden = [
        `${API}.CONSUMER.CREATE.${EVENT_STREAM}`,
        `${API}.CONSUMER.CREATE.${EVENT_STREAM}.a1`,
        `${API}.CONSUMER.CREATE.${EVENT_STREAM}.a1.hub.ev.v1.server.>`,
        `${API}.CONSUMER.DURABLE.CREATE.${EVENT_STREAM}.a1`,
        `${API}.CONSUMER.DELETE.${EVENT_STREAM}.a2`,
        `${API}.CONSUMER.RESET.${EVENT_STREAM}.a1`,
        `${API}.CONSUMER.INFO.${EVENT_STREAM}.a2`,
        `${API}.CONSUMER.LIST.${EVENT_STREAM}`,
        `${API}.CONSUMER.MSG.NEXT.${EVENT_STREAM}.a2`,
        `$JS.ACK.${EVENT_STREAM}.a2.1.1.1.1.0`,
        `${API}.DIRECT.GET.${EVENT_STREAM}`,
        `${API}.STREAM.MSG.GET.${EVENT_STREAM}`,
        `${API}.STREAM.INFO.${EVENT_STREAM}`,
        `${API}.STREAM.PURGE.${EVENT_STREAM}`,
        `${API}.STREAM.DELETE.${EVENT_STREAM}`,
        `${API}.STREAM.CREATE.mine`,
        `${API}.STREAM.NAMES`,
        `${API}.INFO`,
        ORDER,
        FACT,
        "hub.nt.v1.server.changed.u1.s1",
        "$SYS.REQ.USER.AUTH",
        "$SYS.REQ.SERVER.PING",
        "$SYS.REQ.USER.INFO",
        `${inboxPrefixOf("token-of-two")}.x`,
        "anything",
      ];
      const [messages, heard] = [await stored(world.hub), world.heard.length];
      for (const subject of forbidden)
        one.publish(subject, JSON.stringify(push), { reply: `${inboxPrefixOf("token-of-one")}.answer` });
      await one.flush();
      await eventually(() => refused().length === forbidden.length, "each to be refused");
      assert.deepEqual(refused().sort(), forbidden.map((subject) => `publish ${subject}`).sort());
      assert.equal(await stored(world.hub), messages, "the stream is as it was");
      assert.equal(world.heard.length, heard, "nothing came in");
    });

    test("may listen to its own inbox only", async () => {
      const one = await enter("token-of-one");
      const refused = refusals(one);
      const forbidden = [
        ">",
        "hub.>",
        "hub.ev.v1.>",
        ORDER,
        "_INBOX.>",
        `${inboxPrefixOf("token-of-two")}.>`,
        "_INBOX*.>",
        "$JS.>",
        "$SYS.>",
      ];
      const heard: string[] = [];
      for (const subject of forbidden)
        one.subscribe(subject, { callback: (error, message) => void (error ?? heard.push(message.subject)) });
      await one.flush();
      await eventually(() => refused().length === forbidden.length, "each to be refused");
      world.hub.publish(ORDER, "an order");
      await jetstream(world.hub).publish(FACT, "an event");
      await one.flush();
      assert.deepEqual(heard, []);
    });

    test("cannot have events delivered as an order: the reply of a request stays in its account", async () => {
      const one = await enter("token-of-one");
      const position = (await one.request(POSITION_SUBJECT, "{}")).json<ConsumerInfo>();
      await jetstream(world.hub).publish(FACT, "bait");
      const before = world.trapped.length;
      one.publish(nextSubject("a1"), JSON.stringify({ batch: 10, no_wait: true }), { reply: ORDER });
      // Its honest request comes behind that.
      const consumer = jetstream(one).consumers.getConsumerFromInfo(position);
      assert.ok(await consumer.next({ expires: 5000, bind: true }), "nothing was sent off to the order");
      await world.hub.flush();
      assert.deepEqual(world.trapped.slice(before), []);
    });

    test("is seen and can be sent away", async () => {
      const one = await enter("token-of-two");
      const mine = (await gate.connections()).filter(({ subscriber }) => subscriber === "a2");
      assert.ok(mine.length > 0);
      for (const connection of mine) await connection.end();
      await one.closed();
    });
  });

  test("even without any limit of its own, account PUBLIC sees no order and reaches nothing within", async () => {
    const { server, hub, heard, trapped } = await serverWithHub();
    await answerWithAll(hub);
    const guest = await connect({ servers: server.address, token: "any", reconnect: false });
    try {
      const seen: string[] = [];
      guest.subscribe(">", { callback: (_, { subject }) => void seen.push(subject) });
      const caught: string[] = [];
      guest.subscribe(ORDER, { callback: (_, { subject }) => void caught.push(subject) });
      await guest.flush();
      const before = heard.length;
      hub.publish(ORDER, "an order");
      await jetstream(hub).publish(FACT, "an event");
      await hub.flush();
      await eventually(() => heard.length === before + 2, "INTERNAL to hear both");
      const made = await guest.request(
        `${API}.CONSUMER.CREATE.${EVENT_STREAM}.trap`,
        JSON.stringify({
          stream_name: EVENT_STREAM,
          config: { name: "trap", durable_name: "trap", ack_policy: "none", deliver_subject: ORDER },
        }),
      );
      assert.match(made.string(), /error/);
      await jetstreamManager(hub).then(({ consumers }) =>
        consumers.add(EVENT_STREAM, { durable_name: "a1", ack_policy: AckPolicy.Explicit }),
      );
      guest.publish(nextSubject("a1"), JSON.stringify({ batch: 1 }), { reply: ORDER });
      await eventually(() => caught.includes(FACT), "the reply to come back to where it was asked");
      guest.publish(FACT, "forged");
      guest.publish(ORDER, "forged");
      await guest.flush();
      await hub.flush();
      assert.deepEqual(trapped, [ORDER], "the hub's own order");
      assert.equal(await stored(hub), 1, "a forged event is in no stream");
      assert.deepEqual(
        heard.filter((line) => line.includes("forged")),
        [],
        "what a guest publishes stays outside",
      );
      await eventually(() => seen.includes(FACT) && seen.includes(ORDER), "its own to come back");
      assert.equal(seen.filter((subject) => subject === ORDER).length, 1, "the hub's order was not seen");
    } finally {
      await guest.close();
      await hub.close();
      await server.close();
    }
  });

  test("a plain server is told from one with accounts", async () => {
    const plain = await startNats();
    try {
      await assert.rejects(assertAccounts([plain.address], keys), { code: "BUS_ACCOUNTS_MISSING" });
      const gate = natsGate({ servers: [plain.address], keys, log: silentLog, name: "test" });
      try {
        let seen: unknown;
        await eventually(async () => {
          seen = await gate.connections().catch(() => undefined);
          return seen !== undefined;
        }, "the server to tell its connections");
        assert.deepEqual(seen, [], "the hub's own connections are nobody from outside");
      } finally {
        await gate.close();
      }
    } finally {
      await plain.close();
    }
  });

  test("the configuration holds no seed", () => {
    const text = serverConfiguration(keys, { listen: "127.0.0.1:4222", storeDir: "/x" });
    for (const pair of Object.values(keys))
      assert.ok(!text.includes(new TextDecoder().decode(pair.getSeed())));
    assert.doesNotMatch(text, /\bS[UAX][A-Z0-9]{50,}/);
  });
});

/** What the server refused to a connection, `publish SUBJECT` or `subscription SUBJECT`. */
function refusals(connection: NatsConnection): () => string[] {
  const refused: string[] = [];
  void (async () => {
    for await (const status of connection.status()) {
      if (status.type !== "error") continue;
      const { operation, subject } = status.error as { operation?: string; subject?: string };
      refused.push(`${operation} ${subject}`);
    }
  })();
  return () => refused;
}

async function stored(hub: NatsConnection): Promise<number> {
  const { streams } = await jetstreamManager(hub);
  return (await streams.info(EVENT_STREAM)).state.messages;
}

/** An auth callout that gives every right there is in PUBLIC. */
async function answerWithAll(hub: NatsConnection): Promise<void> {
  const { curve, issuer } = keys;
  hub.subscribe("$SYS.REQ.USER.AUTH", {
    callback: (_, message) => void answer(message),
  });
  const answer = async (message: Msg): Promise<void> => {
    const server = message.headers?.get("Nats-Server-Xkey") ?? "";
    const text = new TextDecoder().decode(curve.open(message.data, server) ?? undefined);
    const { user_nkey: user = "", server_id } = decode<AuthorizationRequest>(text).nats;
    const jwt = await encodeUser("guest", user, issuer, {}, { aud: "PUBLIC" });
    const response = await encodeAuthorizationResponse(user, server_id?.id ?? "", issuer, { jwt }, {});
    message.respond(curve.seal(new TextEncoder().encode(response), server));
  };
  await hub.flush();
}
