import assert from "node:assert/strict";
import { afterEach, beforeEach, describe, it } from "node:test";
import { activity, spawnLogs } from "@elara/contracts";
import { timestamp } from "../src/clock.ts";
import { activityBucket, lastTimes, lastTimesOfMany } from "../src/store/read/activity.ts";
import {
  activePage,
  routedPage,
  serverById,
  serverByName,
  serverByPath,
  serversOfUser,
  serversOfUsers,
} from "../src/store/read/servers.ts";
import { steps, tail } from "../src/store/read/spawn-log.ts";
import { userById, userByName, usersByIds, usersByNames, usersPage } from "../src/store/read/users.ts";
import { sqliteStore } from "../src/store/sqlite.ts";
import type { Store } from "../src/store/store.ts";
import { silentLog } from "./fixtures/log.ts";
import { addServer, addUser } from "./fixtures/people.ts";

let store: Store;
beforeEach(async () => {
  store = await sqliteStore({ file: ":memory:", log: silentLog });
});
afterEach(() => store.close());

const at = (second: number): string => timestamp(Date.parse("2026-11-22T10:00:00.000Z") + second * 1000);

describe("reading users", () => {
  it("finds the living by name and id, and shows published fields only", async () => {
    await addUser(store, "ada");
    await addUser(store, "gone", { deletedAt: at(1) });
    assert.deepEqual(Object.keys((await userByName(store, "ada")) ?? {}).sort(), [
      "_id",
      "admin",
      "createdAt",
      "deletingAt",
      "lastLoginAt",
      "name",
    ]);
    assert.equal((await userById(store, "uada"))?.name, "ada");
    for (const found of [
      await userByName(store, "gone"),
      await userById(store, "ugone"),
      await userByName(store, "Ada"),
    ])
      assert.equal(found, undefined);
  });

  it("finds many at once, also more than fit one question", async () => {
    const names = Array.from({ length: 1201 }, (_, n) => `u${n}`);
    for (const name of names) await addUser(store, name);
    assert.equal((await usersByNames(store, [...names, "nobody"])).length, 1201);
    assert.equal(
      (
        await usersByIds(
          store,
          names.map((name) => `u${name}`),
        )
      ).length,
      1201,
    );
    assert.deepEqual(await usersByNames(store, []), []);
    const last = await usersPage(store, { offset: 1200, limit: 50 });
    assert.deepEqual([last.items.length, last.total, last.next], [1, 1201, undefined]);
  });

  it("pages by creation or name, by offset or cursor, both ways", async () => {
    for (const [n, name] of ["eve", "ada", "dan", "bob", "cat"].entries())
      await addUser(store, name, { createdAt: at(n) });
    await addUser(store, "gone", { createdAt: at(9), deletedAt: at(10) });
    const names = async (query: Parameters<typeof usersPage>[1]) => {
      const page = await usersPage(store, query);
      return { names: page.items.map(({ name }) => name), total: page.total, next: page.next };
    };
    const first = await names({ limit: 2 });
    assert.deepEqual([first.names, first.total], [["eve", "ada"], 5]);
    assert.deepEqual((await names({ limit: 2, after: first.next ?? "" })).names, ["dan", "bob"]);
    assert.deepEqual((await names({ limit: 2, offset: 2 })).names, ["dan", "bob"]);
    assert.deepEqual((await names({ limit: 9, offset: 4 })).names, ["cat"]);
    assert.deepEqual((await names({ limit: 9, offset: 5 })).names, []);
    assert.deepEqual((await names({ limit: 9, sort: "name", desc: true })).names, [
      "eve",
      "dan",
      "cat",
      "bob",
      "ada",
    ]);
  });

  it("searches names by substring, case ignored", async () => {
    for (const name of ["ada", "adam", "eve", "madame"]) await addUser(store, name);
    const page = await usersPage(store, { nameContains: "ADA", limit: 1, offset: 1, sort: "name" });
    assert.deepEqual([page.items.map(({ name }) => name), page.total], [["adam"], 3]);
  });
});

describe("reading servers", () => {
  it("finds them by path, by name and by id, without what is the ledger's own", async () => {
    await addServer(store, "ada", "");
    await addServer(store, "ada", "lab2");
    await addServer(store, "ada", "gone", { deletedAt: at(1) });
    assert.equal((await serverByPath(store, "/user/ada/lab2/"))?.name, "lab2");
    assert.equal((await serverByName(store, "uada", ""))?.path, "/user/ada/");
    const shown = await serverById(store, "sada");
    assert.ok(shown);
    for (const hidden of ["pendingEvents", "orders", "driver", "rev", "seq"])
      assert.ok(!(hidden in shown), hidden);
    for (const found of [
      await serverByPath(store, "/user/ada"),
      await serverByName(store, "uada", "gone"),
      await serverById(store, "sadagone"),
    ])
      assert.equal(found, undefined);
    assert.deepEqual(
      (await serversOfUser(store, "uada")).map(({ name }) => name),
      ["", "lab2"],
    );
  });

  it("gathers the servers of many users", async () => {
    const owners = Array.from({ length: 250 }, (_, n) => `o${n}`);
    for (const owner of owners) await addServer(store, owner, "");
    assert.equal(
      (
        await serversOfUsers(
          store,
          owners.map((owner) => `u${owner}`),
        )
      ).length,
      250,
    );
  });

  it("pages through the active and the routed, and tells what changed, tombstones too", async () => {
    await addServer(store, "a", "", { phase: "ready", routed: true, changedAt: at(3) });
    await addServer(store, "b", "", { phase: "starting", changedAt: at(1) });
    await addServer(store, "c", "", { phase: "stopped", changedAt: at(2) });
    await addServer(store, "d", "", { phase: "stopped", changedAt: at(4), deletedAt: at(4) });
    await addServer(store, "e", "", { phase: "unknown", routed: true, changedAt: at(0) });
    const first = await activePage(store, { limit: 2 });
    const rest = await activePage(store, { limit: 2, after: first.next ?? "" });
    assert.deepEqual([...first.items, ...rest.items].map(({ userName }) => userName).sort(), ["a", "b", "e"]);
    assert.deepEqual(
      (await activePage(store, { phases: ["ready"] })).items.map(({ userName }) => userName),
      ["a"],
    );
    assert.deepEqual((await routedPage(store)).items.map(({ userName }) => userName).sort(), ["a", "e"]);
  });
});

describe("reading activity", () => {
  it("takes the latest of all kinds, and nothing for the unseen", async () => {
    await store.collection(activity).insert({
      v: 1,
      _id: activityBucket("uada"),
      last: { "u:uada": { use: at(1), traffic: at(3) }, "s:s1": { report: at(2) } },
    });
    const ada = await lastTimes(store, "uada");
    assert.deepEqual(
      [ada.user(), ada.server("s1"), ada.server("s2"), ada.token("a1")],
      [at(3), at(2), "", ""],
    );
    const of = await lastTimesOfMany(store, ["uada", "ueve"]);
    assert.deepEqual([of("uada").user(), of("ueve").user()], [at(3), ""]);
  });
});

describe("reading the log of a start", () => {
  it("puts the chunks of one attempt in order and leaves other attempts out", async () => {
    const chunk = (generation: number, n: number, step: string, lines: string[]) =>
      store.collection(spawnLogs).insert({
        v: 1,
        _id: `s1.${generation}.${n}`,
        serverId: "s1",
        userId: "uada",
        generation,
        chunk: n,
        steps: [{ at: at(n), step, message: step, progress: n }],
        tail: lines,
        createdAt: at(0),
      });
    await chunk(2, 10, "failed", ["boom"]);
    await chunk(2, 2, "environment", []);
    await chunk(1, 0, "old", ["old"]);
    await chunk(2, 0, "requested", []);
    assert.deepEqual(
      (await steps(store, "s1", 2)).map(({ step }) => step),
      ["requested", "environment", "failed"],
    );
    assert.deepEqual(await tail(store, "s1", 2), ["boom"]);
    assert.deepEqual(await steps(store, "s2", 1), []);
  });
});
