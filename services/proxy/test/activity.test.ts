import assert from "node:assert/strict";
import { suite, type TestContext, test } from "node:test";
import { ActivitySeen } from "@elara/contracts";
import { memoryBus, memoryNetwork } from "@elara/runtime/bus/memory";
import { pino } from "pino";
import { trafficActivity } from "../src/activity.ts";
import type { RouteEntry } from "../src/route-book.ts";
import { httpBackend, tcpBackend } from "./fixture/backend.ts";
import { serverDoc, startProxy, until } from "./fixture/hub.ts";
import { rawClient } from "./fixture/raw.ts";

const ENTRY: RouteEntry = {
  path: "/user/ada/",
  url: "http://127.0.0.1:1",
  id: "sada",
  kind: "server",
  userId: "uada",
  changedAt: "",
  knownAt: 0,
  target: { secure: false, host: "127.0.0.1", port: 1, path: "", origin: "http://127.0.0.1:1" },
};

type Entry = { userId: string; key: string; last: { traffic?: string } };

/** The proxy with ada's server, and all that was reported. */
async function watched(t: TestContext, status: number) {
  const hub = await startProxy(t);
  const backend = await httpBackend(t, (request, response) => {
    request.resume();
    request.on("end", () => {
      response.writeHead(status);
      response.end();
    });
  });
  const doc = await hub.ledger.insert(serverDoc("ada", backend.url));
  const reports: Entry[][] = [];
  hub.bus.subscribe(ActivitySeen, ({ entries }) => void reports.push(entries));
  return { ...hub, doc, reports, key: `s:${doc._id}` };
}

/** A request for another server that is reported, so that a report had its chance. */
async function nextReport(hub: Awaited<ReturnType<typeof watched>>, t: TestContext): Promise<void> {
  const backend = await httpBackend(t, (_request, response) => response.end());
  const other = await hub.ledger.insert(serverDoc("other", backend.url));
  await fetch(`${hub.origin}/user/other/`);
  await until(() => hub.reports.flat().some(({ key }) => key === `s:${other._id}`), "a report came");
}

suite("activity", () => {
  test("an answer below 300 counts, with its time, once per report", async (t) => {
    const hub = await watched(t, 204);
    const before = new Date().toISOString();
    for (let i = 0; i < 10; i++) await fetch(`${hub.origin}/user/ada/${i}`);
    await until(() => hub.reports.length > 0, "reported");
    for (const entries of hub.reports) assert.equal(entries.length, 1);
    const [entry] = hub.reports[0] ?? [];
    assert.deepEqual([entry?.key, entry?.userId], [hub.key, hub.doc.userId]);
    assert.ok((entry?.last.traffic ?? "") >= before);
  });

  for (const status of [302, 404, 503])
    test(`${status} does not count`, async (t) => {
      const hub = await watched(t, status);
      await fetch(`${hub.origin}/user/ada/`, { redirect: "manual" });
      await nextReport(hub, t);
      assert.deepEqual(
        hub.reports.flat().filter(({ key }) => key === hub.key),
        [],
      );
    });

  test("a request with data counts, whatever the answer", async (t) => {
    const hub = await watched(t, 404);
    await fetch(`${hub.origin}/user/ada/`, { method: "POST", body: "x" });
    await until(() => hub.reports.flat().some(({ key }) => key === hub.key), "reported");
  });

  test("nothing new, no report", async (t) => {
    const hub = await watched(t, 200);
    await fetch(`${hub.origin}/user/ada/`);
    await until(() => hub.reports.length === 1, "reported");
    await nextReport(hub, t);
    assert.equal(hub.reports.flat().filter(({ key }) => key === hub.key).length, 1);
  });

  test("what was seen while the bus was away is reported once it is back, with its time", async (t) => {
    const network = memoryNetwork();
    const bus = memoryBus({ log: pino({ level: "silent" }), network });
    t.after(() => bus.close());
    const reports: Entry[][] = [];
    bus.subscribe(ActivitySeen, ({ entries }) => void reports.push(entries));
    let now = Date.UTC(2026, 0, 1);
    const activity = trafficActivity({
      bus,
      clock: { now: () => now, monotonic: () => now },
      everyMs: 3_600_000,
    });
    t.after(() => activity.close());
    network.down();
    activity.touch(ENTRY);
    activity.report();
    now += 60_000;
    network.up();
    activity.report();
    await until(() => reports.length > 0, "reported");
    assert.deepEqual(reports.flat(), [
      { userId: "uada", key: "s:sada", last: { traffic: "2026-01-01T00:00:00.000Z" } },
    ]);
  });

  test("websocket bytes count in both directions", async (t) => {
    const hub = await watched(t, 200);
    let fromServer: () => void = () => {};
    const backend = await tcpBackend(t, (socket) => {
      socket.once("data", () => {
        socket.write("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n");
        fromServer = () => socket.write("tick");
      });
    });
    const doc = await hub.ledger.insert(serverDoc("ws", backend.url));
    const count = () => hub.reports.flat().filter(({ key }) => key === `s:${doc._id}`).length;
    const client = await rawClient(t, hub.port);
    client.socket.write(
      "GET /user/ws/ HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n",
    );
    await client.until("101");
    assert.equal(count(), 0);
    fromServer();
    await until(() => count() === 1, "reported for the server's bytes");
    client.socket.write("tock");
    await until(() => count() === 2, "reported for the client's bytes");
  });
});
