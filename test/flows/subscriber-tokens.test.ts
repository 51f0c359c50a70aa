import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { ownBusKeys } from "@elara/launcher/own-bus-keys";
import { EVENT_STREAM } from "@elara/runtime/bus/nats-stream";
import { jetstreamManager } from "@nats-io/jetstream";
import { connect, type NatsConnection, nkeyAuthenticator } from "@nats-io/transport-node";
import { shapeMissing, startHub, type TestHub } from "../fixtures/hub.ts";
import { subscribe } from "../fixtures/subscriber.ts";
import { until } from "../fixtures/until.ts";

describe("subscribers over NATS, while their tokens change", { skip: await shapeMissing("apart") }, () => {
  let hub: TestHub;
  let inside: NatsConnection;
  let admin: string;
  before(async () => {
    hub = await startHub({ shape: "apart" });
    admin = await hub.token("root-admin");
    inside = await connect({
      servers: hub.nats?.address ?? "",
      authenticator: nkeyAuthenticator(ownBusKeys(hub.dataDir).hub.getSeed()),
    });
  });
  after(async () => {
    await inside?.close();
    await hub?.close();
  });

  const consumers = async (): Promise<{ name: string; filters: readonly string[] }[]> => {
    const found: { name: string; filters: readonly string[] }[] = [];
    for await (const { name, config } of (await jetstreamManager(inside)).consumers.list(EVENT_STREAM))
      found.push({ name, filters: config.filter_subjects ?? [config.filter_subject ?? ""] });
    return found;
  };
  const ask = async (token: string, method: string, path: string, body: object = {}): Promise<Response> => {
    const answer = await hub.api(token, path, { method, body: JSON.stringify(body) });
    assert.ok(answer.ok, `${method} ${path} answered ${answer.status}`);
    return answer;
  };
  const tokenOf = async (name: string, wish: object = {}): Promise<{ token: string; id: string }> => {
    const own = await hub.token(name);
    return (await ask(own, "POST", `/users/${name}/tokens`, wish)).json() as Promise<{
      token: string;
      id: string;
    }>;
  };

  test("scopes that grow and shrink are followed without a new connection", {
    timeout: 90_000,
  }, async (t) => {
    const { token, id } = await tokenOf("gil");
    const subscriber = await subscribe("nats", { hub, token });
    t.after(() => subscriber.close());
    const created = (): unknown[] =>
      subscriber.received
        .filter(({ type }) => type === "org.elara.user.created.v1")
        .map(({ data }) => data.name);
    await until("its own creation", () => created().includes("gil"));
    await ask(admin, "POST", "/users/before");
    assert.ok(!created().includes("before"));
    await ask(admin, "PATCH", "/users/gil", { admin: true });
    await until("what others did meanwhile", () => created().includes("before"), 10_000);
    await ask(admin, "PATCH", "/users/gil", { admin: false });
    await until(
      "the filters to be its own again",
      async () =>
        (await consumers()).some(
          ({ name, filters }) => name === id && !filters.includes("hub.ev.v1.*.*.*.*"),
        ),
      10_000,
    );
    await ask(admin, "POST", "/users/afterwards");
    // Its own, and behind the other in the log.
    const last = await tokenOf("gil");
    await until("its own last event", () =>
      subscriber.received.some(({ data }) => data.publicId === last.id),
    );
    assert.ok(!created().includes("afterwards"));
  });

  test("a revoked token's consumer goes with it, and the token comes in no more", {
    timeout: 60_000,
  }, async () => {
    const { token, id } = await tokenOf("hal");
    const subscriber = await subscribe("nats", { hub, token });
    await until("its consumer", async () => (await consumers()).some(({ name }) => name === id));
    await ask(admin, "DELETE", `/users/hal/tokens/${id}`);
    await subscriber.ended;
    await until(
      "its consumer to go",
      async () => !(await consumers()).some(({ name }) => name === id),
      10_000,
    );
    await assert.rejects(subscribe("nats", { hub, token }), /Authorization/i);
  });

  test("a token that expires ends its connection at that time", { timeout: 60_000 }, async (t) => {
    const { token, id } = await tokenOf("ida", { expires_in: 4 });
    const expires = performance.now() + 4000;
    const subscriber = await subscribe("nats", { hub, token });
    await subscriber.ended;
    const late = performance.now() - expires;
    t.diagnostic(`ended ${Math.round(late)} ms after the expiry`);
    assert.ok(late > -2000 && late < 5000, `ended ${late} ms after the expiry`);
    await until(
      "its consumer to go",
      async () => !(await consumers()).some(({ name }) => name === id),
      10_000,
    );
  });

  test("who may read nothing is not let in", { timeout: 60_000 }, async () => {
    const { token } = await tokenOf("jo", { scopes: ["read:users!user"] });
    await assert.rejects(subscribe("nats", { hub, token }), /Authorization/i);
    assert.doesNotMatch(hub.log(), new RegExp(token), "the token is in no log");
    assert.match(hub.log(), /subscriber refused/);
  });

  test("a user who is deleted is sent away", { timeout: 60_000 }, async () => {
    const { token } = await tokenOf("kim");
    const subscriber = await subscribe("nats", { hub, token });
    await ask(admin, "DELETE", "/users/kim");
    await Promise.race([
      subscriber.ended,
      new Promise((_, fail) => setTimeout(() => fail(new Error("still connected")), 5000).unref()),
    ]);
  });
});
