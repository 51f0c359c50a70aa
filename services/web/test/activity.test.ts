import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { ActivitySeen, type LastTimes } from "@elara/contracts";
import { startHub, type TestHub } from "./fixtures/hub.ts";

const stamp = (agoMs: number): string => new Date(Date.now() - agoMs).toISOString();
const apiForm = (time: string): string => time.replace("Z", "000Z");

describe("reports of activity", () => {
  let hub: TestHub;
  let serverId: string;
  const told = new Map<string, LastTimes>();
  before(async () => {
    hub = await startHub();
    await hub.people.user("root", { admin: true });
    const ada = await hub.people.user("ada");
    serverId = (await hub.people.server("ada", { requestedAt: stamp(3_600_000) }))._id;
    hub.bus.subscribe(ActivitySeen, ({ entries }) => {
      for (const { key, last } of entries) told.set(key, last);
    });
    assert.ok(ada);
  });
  after(() => hub.close());

  const report = (payload: unknown, user = "ada") =>
    hub.api(user, {
      method: "POST",
      url: "/hub/api/users/ada/activity",
      payload: JSON.stringify(payload),
      headers: { "content-type": "application/json" },
    });
  const lastOfServer = async () =>
    (await hub.api("root", { url: "/hub/api/users/ada" })).json().servers[""].last_activity;

  it("are answered with 200 and nothing, seen at once, and sent on", async () => {
    const time = stamp(60_000);
    const answer = await report({ last_activity: time, servers: { "": { last_activity: time } } });
    assert.deepEqual([answer.statusCode, answer.body], [200, ""]);
    assert.equal(await lastOfServer(), apiForm(time));
    await until(() => told.get(`s:${serverId}`)?.report === time);
  });

  it("never move backwards", async () => {
    const before = await lastOfServer();
    await report({ servers: { "": { last_activity: stamp(1_800_000) } } });
    assert.equal(await lastOfServer(), before);
  });

  it("may come in any zone, or without one", async () => {
    const time = stamp(30_000);
    const elsewhere = `${new Date(Date.parse(time) + 3_600_000).toISOString().slice(0, -1)}123+01:00`;
    assert.equal((await report({ servers: { "": { last_activity: elsewhere } } })).statusCode, 200);
    assert.equal(await lastOfServer(), `${time.slice(0, -1)}123Z`, "what was sent, to the microsecond");
    assert.equal((await report({ last_activity: time.slice(0, -1) })).statusCode, 200);
  });

  it("are checked as by JupyterHub", async () => {
    const message = async (payload: unknown) => {
      const answer = await report(payload);
      assert.equal(answer.statusCode, 400);
      return answer.json().message;
    };
    assert.match(await message({}), /at least one of `last_activity` or `servers`/);
    assert.equal(await message([]), "body must be a json dict");
    assert.match(await message({ last_activity: "teatime" }), /^Not a valid timestamp/);
    assert.match(await message({ servers: ["x"] }), /^servers must be a dict/);
    assert.equal(
      await message({ servers: { zz: { last_activity: stamp(0) } } }),
      "No such server 'zz' for user ada",
    );
    assert.match(await message({ last_activity: stamp(-7_200_000) }), /more than an hour in the future/);
  });

  it("are not taken from others", async () => {
    await hub.people.user("eve");
    assert.equal((await report({ last_activity: stamp(0) }, "eve")).statusCode, 404);
  });

  it("of a server's own token do not make its owner active", async () => {
    await hub.people.user("zoe");
    const { _id } = await hub.people.server("zoe");
    const token = await hub.people.token("zoe", {
      kind: "server",
      serverId: _id,
      scopes: ["users:activity!user=zoe"],
    });
    const answer = await hub.app.inject({
      method: "POST",
      url: "/hub/api/users/zoe/activity",
      payload: { servers: { "": { last_activity: stamp(0) } } },
      headers: { authorization: `token ${token}` },
    });
    assert.equal(answer.statusCode, 200);
    const zoe = (await hub.api("root", { url: "/hub/api/users/zoe" })).json();
    assert.equal(zoe.last_activity, null);
  });
});

describe("activity while the store is away", () => {
  it("is taken from a server's own token and sent on", async () => {
    const hub = await startHub();
    await hub.people.user("ada");
    const { _id } = await hub.people.server("ada");
    const token = await hub.people.token("ada", {
      kind: "server",
      serverId: _id,
      scopes: ["users:activity!user=ada"],
    });
    const told = new Map<string, LastTimes>();
    hub.bus.subscribe(ActivitySeen, ({ entries }) => {
      for (const { key, last } of entries) told.set(key, last);
    });
    const time = stamp(0);
    const report = () =>
      hub.app.inject({
        method: "POST",
        url: "/hub/api/users/ada/activity",
        payload: { servers: { "": { last_activity: time } } },
        headers: { authorization: `token ${token}` },
      });
    assert.equal((await report()).statusCode, 200);
    await hub.store.close();
    assert.equal((await report()).statusCode, 200);
    assert.equal((await hub.app.inject({ url: "/hub/health" })).statusCode, 200);
    await until(() => told.get(`s:${_id}`)?.report === time);
    await hub.close();
  });
});

async function until(isTrue: () => boolean): Promise<void> {
  const end = Date.now() + 5000;
  while (!isTrue()) {
    if (Date.now() > end) throw new Error("it did not come true");
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
