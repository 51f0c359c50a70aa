import { strict as assert } from "node:assert";
import { after, before, describe, it } from "node:test";
import { codeOf } from "@elara/contracts";
// @boundaries-ignore the real program is started by the fixture that all rooms share
import { type MongoFixture, mongoMissing, startMongo } from "../../../../test/fixtures/mongo.ts";
import { type Probes, probe, probeCollection } from "../../src/store/conformance/probe.ts";
import { mongoStore } from "../../src/store/mongo.ts";
import type { Store } from "../../src/store/store.ts";
import { keptLog, silentLog } from "../fixtures/log.ts";

const LIMIT_MS = 2500;
const skip = await mongoMissing({ own: true });

describe("mongo, killed, hanging and back", { ...(skip !== undefined && { skip }) }, () => {
  let mongo: MongoFixture;
  let store: Store;
  let probes: Probes;
  const { log, lines } = keptLog();
  const told = (message: string) => lines.filter((line) => line.msg === message).length;
  const open = (to = log) => mongoStore({ uri: mongo.uri, database: mongo.database, log: to });
  before(async () => {
    mongo = await startMongo({ own: true });
    store = await open();
    probes = store.collection(probeCollection());
  });
  after(async () => {
    await store.close();
    await mongo.close();
  });

  const everyCall = (): Record<string, Promise<unknown>> => ({
    ping: store.ping(),
    get: probes.get("a"),
    find: probes.find(),
    count: probes.count(),
    insert: probes.insert(probe()),
    patch: probes.patch("a", 1, { set: { size: 1 } }),
    settle: probes.settle("a", ["e1"]),
    delete: probes.delete("nobody"),
  });
  const assertAway = async () => {
    const began = performance.now();
    const outcome = async ([name, call]: [string, Promise<unknown>]) =>
      `${name} ${await call.then(() => "answered", codeOf)}`;
    const outcomes = await Promise.all(Object.entries(everyCall()).map(outcome));
    assert.equal(outcomes.length, 8);
    assert.deepEqual(
      outcomes.filter((one) => !one.endsWith(" STORE_AWAY")),
      [],
    );
    assert.ok(performance.now() - began < LIMIT_MS, `took ${performance.now() - began} ms`);
  };
  it("answers STORE_AWAY in time when it was killed, and works on the same data when it is back", async () => {
    const doc = await probes.insert(probe({ _id: "a", name: "ada" }));
    await mongo.kill();
    await assertAway();
    await mongo.restart();
    assert.deepEqual(await probes.get("a"), doc);
    assert.equal((await probes.patch("a", 1, { set: { size: 2 } }))?.rev, 2);
    assert.deepEqual([told("mongodb away"), told("mongodb back")], [1, 1]);
  });

  it("answers STORE_AWAY in time when it hangs, and works when it goes on", async () => {
    mongo.freeze();
    await assertAway();
    mongo.thaw();
    assert.equal((await probes.get("a"))?.name, "ada");
  });

  it("loses no answered write to kill -9", async () => {
    const answered: string[] = [];
    let isUp = true;
    const writing = (async () => {
      for (let n = 0; isUp; n++) {
        const doc = await probes.insert(probe({ _id: `k${n}` })).catch(() => undefined);
        if (doc) answered.push(doc._id);
        if (n === 30) void mongo.kill().then(() => (isUp = false));
      }
    })();
    await writing;
    await mongo.restart();
    assert.ok(answered.length >= 30);
    for (const id of answered) assert.equal((await probes.get(id))?._id, id);
  });

  it("can be opened while it is away", async () => {
    await mongo.kill();
    const late = await open(silentLog);
    await assert.rejects(late.ping(), { code: "STORE_AWAY", status: 503, retryAfterSeconds: 2 });
    await mongo.restart();
    const lateProbes = late.collection(probeCollection());
    await lateProbes.insert(probe({ name: "made when it was back" }));
    await assert.rejects(lateProbes.insert(probe({ name: "made when it was back" })), {
      code: "STORE_CONFLICT",
    });
    await late.close();
  });

  it("refuses a URI that is none", async () => {
    await assert.rejects(mongoStore({ uri: "http://x", database: "x", log }), { code: "CONFIG_INVALID" });
  });
});
