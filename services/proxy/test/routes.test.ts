import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { RouteAdded, RouteRemoved, routes, ServerChanged } from "@elara/contracts";
import type { Bus } from "@elara/runtime/bus/bus";
import { timestamp } from "@elara/runtime/clock";
import type { RouteReader } from "@elara/runtime/store/read/routes";
import { routeReader } from "@elara/runtime/store/read/routes";
import { sqliteStore } from "@elara/runtime/store/sqlite";
import { type RouteEntry, routeBook } from "../src/route-book.ts";
import { httpBackend, tcpBackend } from "./fixture/backend.ts";
import { log, nextId, pushedClock, serverDoc, startProxy, until } from "./fixture/hub.ts";

const ask = async (url: string) => {
  const answer = await fetch(url, { redirect: "manual" });
  const text = await answer.text();
  return answer.status === 200 ? text : `${answer.status} ${answer.headers.get("location") ?? ""}`.trim();
};
/** What spawn says over the bus after a change; it hastens the reading. */
const noticed = (
  bus: Bus,
  doc: { _id: string; userId: string; path: string; url: string; routed: boolean },
) =>
  bus.notify(
    ServerChanged,
    { userId: doc.userId, serverId: doc._id, path: doc.path, url: doc.url, routed: doc.routed },
    { userId: doc.userId, objectId: doc._id },
  );
const later = (ms = 5) => timestamp(Date.now() + ms);

suite("the route table follows the store", () => {
  test("a new server, a moved one, a stopped one; the row says up to which change", async (t) => {
    const { origin, ledger, told, bus } = await startProxy(t);
    const first = await httpBackend(t, (_request, response) => response.end("first"));
    const second = await httpBackend(t, (_request, response) => response.end("second"));
    const doc = await ledger.insert(serverDoc("ada", first.url));
    await until(() => told.routesUpTo === doc.changedAt, "the row says so");
    assert.equal(await ask(`${origin}/user/ada/x`), "first");

    const moved = await ledger.patch(doc._id, doc.rev, { set: { url: second.url, changedAt: later() } });
    noticed(bus, doc);
    await until(() => told.routesUpTo === moved?.changedAt, "the row says so");
    assert.equal(await ask(`${origin}/user/ada/x`), "second");

    const set = { routed: false, url: "", changedAt: later(10) };
    await ledger.patch(doc._id, moved?.rev ?? 0, { set });
    noticed(bus, doc);
    await until(() => told.routesUpTo === set.changedAt, "the row says so");
    assert.equal(await ask(`${origin}/user/ada/x`), "302 /hub/user/ada/x");
  });

  test("a notice hastens the reading", async (t) => {
    // Given a table that has just been read, so that the next reading is a second away.
    const { ledger, told, bus } = await startProxy(t);
    const known = await ledger.insert(serverDoc("bob", "http://127.0.0.1:9"));
    noticed(bus, known);
    await until(() => told.routesUpTo === known.changedAt, "read");
    const began = performance.now();
    const doc = await ledger.insert(serverDoc("ada", "http://127.0.0.1:9", { changedAt: later() }));
    noticed(bus, doc);
    await until(() => told.routesUpTo === doc.changedAt, "read again");
    assert.ok(performance.now() - began < 600, `${performance.now() - began} ms`);
  });

  test("a document that is deleted at once leaves no route", async (t) => {
    const { origin, ledger, told, bus } = await startProxy(t);
    const backend = await httpBackend(t, (_request, response) => response.end("ada's"));
    const doc = await ledger.insert(serverDoc("ada", backend.url));
    noticed(bus, doc);
    await until(() => told.routesUpTo === doc.changedAt, "read");
    await ledger.delete(doc._id);
    noticed(bus, doc);
    await until(async () => (await ask(`${origin}/user/ada/`)) === "302 /hub/user/ada/", "route gone");
  });

  test("routes that came and went are told, those of the first filling not", async (t) => {
    const { ledger, bus, told } = await startProxy(t);
    const news: string[] = [];
    bus.subscribe(RouteAdded, ({ path, proxy }) => void news.push(`+${path} ${proxy}`));
    bus.subscribe(RouteRemoved, ({ path }) => void news.push(`-${path}`));
    const doc = await ledger.insert(serverDoc("ada", "http://127.0.0.1:9"));
    noticed(bus, doc);
    await until(() => told.routesUpTo === doc.changedAt, "read");
    await ledger.patch(doc._id, doc.rev, { set: { routed: false, changedAt: later() } });
    noticed(bus, doc);
    await until(() => news.length === 2, "both told");
    assert.deepEqual(news, ["+/user/ada/ proxy1", "-/user/ada/"]);
  });

  test("routes that are no servers, and none below the hub's own paths", async (t) => {
    const { origin, store } = await startProxy(t);
    const backend = await httpBackend(t, (request, response) => response.end(request.url));
    const route = (path: string) => ({
      _id: nextId(),
      v: 1,
      path,
      target: backend.url,
      data: {},
      changedAt: later(0),
      deletedAt: "",
    });
    await store.collection(routes).insert(route("/services/announce/"));
    await store.collection(routes).insert(route("/hub/api/stolen/"));
    assert.equal(await ask(`${origin}/services/announce/x`), "/services/announce/x");
    assert.equal(JSON.parse(await ask(`${origin}/hub/api/stolen/x`)).service, "web");
  });

  test("a thousand servers are found, by filling or by asking", async (t) => {
    const { origin, ledger } = await startProxy(t);
    const backend = await httpBackend(t, (request, response) => response.end(request.url));
    await Promise.all(Array.from({ length: 1000 }, (_, i) => ledger.insert(serverDoc(`u${i}`, backend.url))));
    for (let i = 0; i < 1000; i += 20)
      await Promise.all(
        Array.from({ length: 20 }, async (_, j) => {
          const path = `/user/u${i + j}/x`;
          assert.equal(await ask(origin + path), path);
        }),
      );
  });

  for (const [stored, asked] of [
    ["/user/a+b@c/", "/user/a%2Bb%40c/x"],
    ["/user/a%2Bb@c/", "/user/a+b@c/x"],
  ] as const)
    test(`a miss finds ${stored} for ${asked}`, async (t) => {
      const { origin, ledger } = await startProxy(t);
      const backend = await httpBackend(t, (_request, response) => response.end("found"));
      await ledger.insert(serverDoc("x", backend.url, { path: stored }));
      assert.equal(await ask(origin + asked), "found");
    });
});

suite("who was redirected", () => {
  test("is not told the no of a moment ago", async (t) => {
    const { origin, ledger } = await startProxy(t);
    const backend = await httpBackend(t, (_request, response) => response.end("ada's"));
    assert.equal(await ask(`${origin}/user/ada/lab`), "302 /hub/user/ada/lab");
    await ledger.insert(serverDoc("ada", backend.url));
    assert.equal(await ask(`${origin}/user/ada/lab?redirects=1`), "ada's");
  });
});

suite("with the store away", () => {
  test("known routes go on, an unknown one is sent to the hub", async (t) => {
    const clock = pushedClock();
    const { origin, ledger, store } = await startProxy(t, { clock });
    const backend = await httpBackend(t, (_request, response) => response.end("ada's"));
    await ledger.insert(serverDoc("ada", backend.url));
    assert.equal(await ask(`${origin}/user/ada/`), "ada's");
    await store.close();
    clock.push(60_000);
    assert.equal(await ask(`${origin}/user/ada/`), "ada's");
    assert.equal(await ask(`${origin}/user/bob/`), "302 /hub/user/bob/");
  });
});

suite("a refused connection", () => {
  test("the entry is read anew: the request goes where the server is now", async (t) => {
    const { origin, ledger } = await startProxy(t);
    const old = await tcpBackend(t, () => {});
    const now = await httpBackend(t, (request, response) => request.pipe(response));
    const doc = await ledger.insert(serverDoc("ada", old.url));
    old.server.close();
    // The same time as before: the reading each second takes it for known, only reading anew shows it.
    const first = await ask(`${origin}/user/ada/`);
    assert.equal(first, "503");
    await ledger.patch(doc._id, doc.rev, { set: { url: now.url } });
    const answer = await fetch(`${origin}/user/ada/`, { method: "PUT", body: "with a body" });
    assert.equal(await answer.text(), "with a body");
  });

  test("the server is stopped meanwhile: the client is sent to the hub's page", async (t) => {
    const { origin, ledger } = await startProxy(t);
    const old = await tcpBackend(t, () => {});
    const doc = await ledger.insert(serverDoc("ada", old.url));
    old.server.close();
    assert.equal(await ask(`${origin}/user/ada/`), "503");
    await ledger.patch(doc._id, doc.rev, { set: { routed: false } });
    assert.equal(await ask(`${origin}/user/ada/`), "302 /hub/user/ada/");
  });
});

suite("the route book", () => {
  /** A book over a reader that counts and can be made to wait or fail. */
  async function counted() {
    const store = await sqliteStore({ file: ":memory:", log });
    const real = routeReader(store);
    const reads: string[][] = [];
    let gate: Promise<void> = Promise.resolve();
    let fails = false;
    const reader: RouteReader = {
      ...real,
      async byPaths(paths) {
        reads.push([...paths]);
        await gate;
        if (fails) throw new Error("away");
        return real.byPaths(paths);
      },
    };
    const clock = pushedClock();
    const heard: string[] = [];
    const book = routeBook({
      reader,
      baseUrl: "/",
      clock,
      log,
      listener: (entry: RouteEntry, what) => void heard.push(`${what} ${entry.path}`),
    });
    return {
      book,
      clock,
      reads,
      heard,
      store,
      hold: () => {
        const { promise, resolve } = Promise.withResolvers<void>();
        gate = promise;
        return resolve;
      },
      fail: (value: boolean) => {
        fails = value;
      },
    };
  }
  const record = (id: string, url: string, changedAt: string, path = "/user/ada/") =>
    ({ kind: "server", id, path, url, userId: "u", changedAt }) as const;
  const at = (second: number) => timestamp(Date.UTC(2026, 0, 1, 0, 0, second));

  test("misses at the same time cause one reading", async () => {
    const { book, reads, hold } = await counted();
    const release = hold();
    const asked = Array.from({ length: 20 }, () => book.lookUp("/user/ada/lab", { fresh: false }));
    release();
    await Promise.all(asked);
    assert.equal(reads.length, 1);
  });

  test("a no counts for a second, and not for who was redirected", async () => {
    const { book, reads, clock } = await counted();
    await book.lookUp("/user/ada/lab", { fresh: false });
    await book.lookUp("/user/ada/lab?x", { fresh: false });
    assert.equal(reads.length, 1);
    await book.lookUp("/user/ada/lab", { fresh: true });
    assert.equal(reads.length, 2);
    clock.push(1001);
    await book.lookUp("/user/ada/lab", { fresh: false });
    assert.equal(reads.length, 3);
  });

  test("an entry not confirmed for 10 s is asked for, once; no answer keeps it", async () => {
    const { book, reads, clock, fail } = await counted();
    book.apply(record("s1", "http://127.0.0.1:1", at(1)));
    const entry = book.entryOf("s1");
    assert.ok(entry);
    assert.equal(book.confirmed(entry), entry);
    clock.push(10_001);
    fail(true);
    assert.equal(await book.confirmed(entry), entry);
    assert.equal(reads.length, 1);
    assert.equal(book.confirmed(entry), entry);
    assert.equal(reads.length, 1, "not asked again at once");
    clock.push(2001);
    fail(false);
    assert.equal(await book.confirmed(entry), undefined, "the store says that it is gone");
    assert.equal(book.size, 0);
  });

  test("a store that hangs delays a known route by 0.3 s at most", async () => {
    const { book, clock, hold } = await counted();
    book.apply(record("s1", "http://127.0.0.1:1", at(1)));
    const entry = book.entryOf("s1");
    assert.ok(entry);
    clock.push(10_001);
    const release = hold();
    const began = performance.now();
    assert.equal(await book.confirmed(entry), entry);
    assert.ok(performance.now() - began < 1000);
    release();
  });

  test("older news changes nothing, also about a route that went", async () => {
    const { book, heard } = await counted();
    book.apply(record("s1", "http://127.0.0.1:2", at(2)));
    book.apply(record("s1", "http://127.0.0.1:1", at(1)));
    assert.equal(book.entryOf("s1")?.url, "http://127.0.0.1:2");
    book.apply(record("s1", "", at(3)));
    book.apply(record("s1", "http://127.0.0.1:2", at(2)));
    assert.equal(book.size, 0);
    book.apply(record("s1", "http://127.0.0.1:4", at(4)));
    assert.equal(book.size, 1);
    assert.deepEqual(heard, ["added /user/ada/", "removed /user/ada/", "added /user/ada/"]);
  });

  test("a complete reading drops what it does not name, but nothing that came meanwhile", async () => {
    const { book, clock } = await counted();
    book.apply(record("s1", "http://127.0.0.1:1", at(1)));
    book.apply(record("s2", "http://127.0.0.1:2", at(1), "/user/bob/"));
    clock.push(1);
    const begun = clock.monotonic();
    book.apply(record("s3", "http://127.0.0.1:3", at(2), "/user/cy/"));
    book.dropUnnamed("server", new Set(["s2"]), begun);
    assert.deepEqual(
      ["s1", "s2", "s3"].map((id) => book.entryOf(id) !== undefined),
      [false, true, true],
    );
  });

  test("an address that is none is no route", async () => {
    const { book } = await counted();
    for (const url of ["", "nonsense", "ftp://x", "http://", "127.0.0.1:80"]) {
      book.apply(record("s1", url, at(1)));
      assert.equal(book.size, 0, url);
    }
  });
});
