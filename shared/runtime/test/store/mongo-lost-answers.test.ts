import { strict as assert } from "node:assert";
import { after, before, describe, it } from "node:test";
import { MongoClient } from "mongodb";
// @boundaries-ignore the real program is started by the fixture that all rooms share
import { type MongoFixture, mongoMissing, startMongo } from "../../../../test/fixtures/mongo.ts";
import {
  type Probes,
  pending,
  pendingIds,
  probe,
  probeCollection,
} from "../../src/store/conformance/probe.ts";
import { mongoStore } from "../../src/store/mongo.ts";
import type { Store } from "../../src/store/store.ts";
import { silentLog } from "../fixtures/log.ts";
import { type LossyRelay, lossyRelay } from "./lossy-relay.ts";

const AT = "2026-11-22T12:00:01.000Z";
const skip = await mongoMissing({ own: true });

describe("mongo, an answer lost on its way", { ...(skip !== undefined && { skip }) }, () => {
  let mongo: MongoFixture;
  let relay: LossyRelay;
  let stores: Store[];
  let lossy: Probes;
  let direct: Probes;
  const declaration = probeCollection();
  before(async () => {
    mongo = await startMongo({ own: true });
    relay = await lossyRelay(Number(new URL(mongo.uri).port));
    const open = (uri: string) => mongoStore({ uri, database: mongo.database, log: silentLog });
    const through = await open(`mongodb://127.0.0.1:${relay.port}/?directConnection=true`);
    const beside = await open(mongo.uri);
    stores = [through, beside];
    lossy = through.collection(declaration);
    direct = beside.collection(declaration);
    await direct.count();
    await lossy.count();
  });
  after(async () => {
    await Promise.all(stores.map((store) => store.close()));
    await relay.close();
    await mongo.close();
  });

  it("knows its own insert", async () => {
    const lost = relay.loseAnswer("insert");
    const doc = await lossy.insert(probe({ name: "mine" }));
    await lost;
    assert.deepEqual(await direct.get(doc._id), doc);
  });

  it("does not take another's document for its own insert", async () => {
    const mine = probe();
    const lost = relay.loseRequest("insert");
    const outcome = lossy.insert(mine);
    const theirs = direct.insert({ ...mine, name: "theirs" });
    await assert.rejects(outcome, { code: "STORE_CONFLICT" });
    await lost;
    assert.deepEqual(await direct.get(mine._id), await theirs);
  });

  it("knows its own change, and makes it once", async () => {
    const { _id } = await direct.insert(probe());
    const lost = relay.loseAnswer("findAndModify");
    const doc = await lossy.patch(_id, 1, { set: { size: 7 }, events: { at: AT, list: [pending("e1")] } });
    await lost;
    assert.deepEqual([doc?.size, doc?.rev, pendingIds(doc)], [7, 2, ["e1"]]);
    assert.deepEqual(await direct.get(_id), doc);
  });

  it("knows its own change under those that others made since", async () => {
    const { _id } = await direct.insert(probe());
    const lost = relay.loseAnswer("findAndModify", async () => {
      await direct.patch(_id, 2, { set: { size: 8 } });
      await direct.patch(_id, 3, { set: { size: 9 } });
    });
    const doc = await lossy.patch(_id, 1, { set: { note: "mine" } });
    await lost;
    assert.deepEqual([doc?.note, doc?.size, doc?.rev], ["mine", 9, 4]);
  });

  it("says so when another's change came first", async () => {
    const { _id } = await direct.insert(probe());
    const lost = relay.loseRequest("findAndModify");
    const outcome = lossy.patch(_id, 1, { set: { note: "mine" } });
    await lost;
    // Either may come first; both together may not.
    const theirs = await direct.patch(_id, 1, { set: { note: "theirs" } });
    const mine = await outcome;
    assert.equal([mine, theirs].filter((doc) => doc !== undefined).length, 1);
    assert.equal((await direct.get(_id))?.rev, 2);
  });

  it("makes a change that never arrived", async () => {
    const { _id } = await direct.insert(probe());
    const lost = relay.loseRequest("findAndModify");
    assert.equal((await lossy.patch(_id, 1, { set: { size: 3 } }))?.rev, 2);
    await lost;
  });

  it("settles and deletes as if nothing had happened", async () => {
    const { _id } = await direct.insert(probe({ pendingEvents: [pending("e1")], pendingSince: AT }));
    const unsettled = relay.loseAnswer("update");
    await lossy.settle(_id, ["e1"]);
    await unsettled;
    assert.equal((await direct.get(_id))?.pendingSince, "");
    const lost = relay.loseAnswer("delete");
    assert.equal(await lossy.delete(_id, 1), true);
    await lost;
    assert.equal(await direct.get(_id), undefined);
  });

  it("reads again", async () => {
    const { _id } = await direct.insert(probe());
    const lost = relay.loseAnswer("find");
    assert.equal((await lossy.get(_id))?._id, _id);
    await lost;
  });

  it("keeps the nonces of the last eight writers, out of sight", async () => {
    const { _id } = await direct.insert(probe());
    for (let rev = 1; rev <= 12; rev++) await direct.patch(_id, rev, { set: {} });
    const client = new MongoClient(mongo.uri);
    const raw = await client
      .db(mongo.database)
      .collection<{ _id: string }>(declaration.name)
      .findOne({ _id });
    await client.close();
    assert.ok(raw && "_w" in raw && Array.isArray(raw._w));
    assert.equal(new Set(raw._w).size, 8);
    assert.equal("_w" in ((await direct.get(_id)) ?? {}), false);
  });
});
