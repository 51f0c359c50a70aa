import assert from "node:assert/strict";
import { afterEach, beforeEach, describe, it } from "node:test";
import { activity } from "@elara/contracts";
import { timestamp } from "../src/clock.ts";
import { activityBucket } from "../src/store/read/activity.ts";
import { countActive, countRunning, countUsers } from "../src/store/read/counts.ts";
import { sqliteStore } from "../src/store/sqlite.ts";
import type { Store } from "../src/store/store.ts";
import { silentLog } from "./fixtures/log.ts";
import { addServer, addUser } from "./fixtures/people.ts";

let store: Store;
beforeEach(async () => {
  store = await sqliteStore({ file: ":memory:", log: silentLog });
});
afterEach(() => store.close());

const day = (number: number): string => timestamp(Date.UTC(2026, 10, number));

describe("what the hub is counted by", () => {
  it("counts users without those being deleted, and servers with a route", async () => {
    const { _id: ada } = await addUser(store, "ada");
    await addUser(store, "bob", { deletingAt: day(1) });
    await addServer(store, ada, "", { routed: true });
    await addServer(store, ada, "second", { routed: false });
    assert.equal(await countUsers(store), 1);
    assert.equal(await countRunning(store), 1);
  });

  it("counts users by when they were last seen, by whatever evidence; servers' times are not theirs", async () => {
    const seen = { u1: { use: day(20) }, u2: { use: day(1), traffic: day(19) }, u3: { use: day(1) } };
    for (const [id, last] of Object.entries(seen)) {
      const _id = activityBucket(id);
      await store
        .collection(activity)
        .insert({ _id, v: 1, last: { [`u:${id}`]: last, [`s:of-${id}`]: { use: day(22) } } });
    }
    assert.deepEqual(await countActive(store, [day(20), day(18), day(1)]), [1, 2, 3]);
  });
});
