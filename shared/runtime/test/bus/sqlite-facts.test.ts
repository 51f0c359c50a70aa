import { strict as assert } from "node:assert";
import { getEventListeners } from "node:events";
import { chmodSync, mkdtempSync, readdirSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterEach, beforeEach, describe, it } from "node:test";
import { type EventContract, HubError } from "@elara/contracts";
import { Type } from "typebox";
import { envelope } from "../../src/bus/envelope.ts";
import { memoryBus } from "../../src/bus/memory.ts";
import { type FactStore, type FactStoreOptions, sqliteFacts } from "../../src/bus/sqlite-facts.ts";
import { type TestClock, testClock } from "../fixtures/clock.ts";
import { eventually } from "../fixtures/eventually.ts";
import { silentLog } from "../fixtures/log.ts";

const Data = Type.Object({});
const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const DAY_MS = 86_400_000;
/** The first position of a log that is opened for the first time: the time. */
const BEGIN = testClock().now();
const fact: EventContract<typeof Data> = { type: "a.b", kind: "fact", summary: "", data: Data };
const CLOUD = envelope(fact, {}, { source: "s", subject: "s", actor: "s", at: BEGIN, partitionKey: "-" });

describe("facts in a file", () => {
  let folder: string;
  let clock: TestClock;
  const opened: FactStore[] = [];
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "elara-facts-"));
    clock = testClock();
  });
  afterEach(() => {
    for (const facts of opened.splice(0)) facts.close();
    rmSync(folder, { recursive: true });
  });
  const open = (more: FactStoreOptions = {}): FactStore => {
    const facts = sqliteFacts({ file: join(folder, "events.sqlite"), clock, ...more });
    opened.push(facts);
    return facts;
  };
  const kept = async (facts: FactStore, after = 0): Promise<string[]> => {
    const { last } = await facts.span();
    const closing = new AbortController();
    const found: string[] = [];
    if (after >= last) return found;
    for await (const fact of facts.read({ after, patterns: [">"], signal: closing.signal })) {
      found.push(`${fact.sequence} ${new TextDecoder().decode(fact.bytes)}`);
      if (fact.sequence === last) closing.abort();
    }
    return found;
  };

  it("are there again when the process is another one, and positions go on", async () => {
    const first = open();
    await Promise.all([first.append("a", bytes("one"), "1"), first.append("a", bytes("two"), "2")]);
    // As by kill -9: nothing is closed.
    const second = open();
    assert.deepEqual(await kept(second), [`${BEGIN} one`, `${BEGIN + 1} two`]);
    await second.append("a", bytes("two again"), "2");
    await second.append("a", bytes("three"), "3");
    assert.deepEqual(await kept(second, BEGIN), [`${BEGIN + 1} two`, `${BEGIN + 2} three`]);
  });

  it("are for nobody else's eyes, also where they were before", async () => {
    const modes = (): string[] =>
      readdirSync(folder).map((name) => `${name} ${(statSync(join(folder, name)).mode & 0o777).toString(8)}`);
    const own = ["events.sqlite 600", "events.sqlite-shm 600", "events.sqlite-wal 600"];
    const before = process.umask(0o022);
    try {
      const facts = open();
      await facts.append("a", bytes("one"), "1");
      assert.deepEqual(modes(), own);
      for (const name of readdirSync(folder)) chmodSync(join(folder, name), 0o644);
      await open().append("a", bytes("two"), "2");
      assert.deepEqual(modes(), own);
    } finally {
      process.umask(before);
    }
  });

  it("go after their time, and positions are never used again", async () => {
    const facts = open({ keptMs: 14 * DAY_MS });
    for (let n = 0; n < 3; n += 1) await facts.append("a", bytes(`old ${n}`), `old ${n}`);
    clock.forward(15 * DAY_MS);
    await Promise.all(Array.from({ length: 500 }, (_, n) => facts.append("a", bytes(`${n}`), `${n}`)));
    assert.deepEqual(await facts.span(), { first: BEGIN + 3, last: BEGIN + 502 });
    clock.forward(15 * DAY_MS);
    await Promise.all(Array.from({ length: 500 }, (_, n) => facts.append("b", bytes(`${n}`), `b${n}`)));
    assert.deepEqual(await facts.span(), { first: BEGIN + 503, last: BEGIN + 1002 });
  });

  it("go after their time though little happens: when the log is opened, and by the hour", async () => {
    const first = open();
    await first.append("a", bytes("old"), "1");
    first.close();
    clock.forward(15 * DAY_MS);
    const second = open({ tidyMs: 5 });
    assert.deepEqual(await second.span(), { first: BEGIN + 1, last: BEGIN });
    await second.append("a", bytes("next"), "2");
    clock.forward(15 * DAY_MS);
    await eventually(async () => (await second.span()).first === BEGIN + 2, "the next to go");
  });

  it("begin higher in a new log than they ever were in one before", async () => {
    const file = join(folder, "events.sqlite");
    const facts = open();
    for (let n = 0; n < 20; n += 1) await facts.append("a", bytes(`${n}`), `${n}`);
    const { last } = await facts.span();
    facts.close();
    rmSync(file);
    clock.forward(1000);
    const bus = memoryBus({ log: silentLog, factsFile: file, clock });
    const span = await bus.events.span();
    assert.ok(Number(span.earliest) > last, `${span.earliest} after ${last}`);
    assert.ok(span.latest.length < 15);
    const { signal } = new AbortController();
    const reading = bus.events.read({ after: String(last), signal })[Symbol.asyncIterator]();
    await assert.rejects(reading.next(), { code: "EVENTS_CURSOR_EXPIRED" });
    await bus.close();
  });

  it("leave nothing behind on their reader's signal, and end it when they are closed", async () => {
    const facts = open();
    const { signal } = new AbortController();
    const reading = facts.read({ after: 0, patterns: [">"], signal })[Symbol.asyncIterator]();
    for (let n = 0; n < 50; n += 1) {
      const next = reading.next();
      await facts.append("a", bytes(`${n}`), `${n}`);
      await next;
    }
    assert.ok(getEventListeners(signal, "abort").length <= 1);
    const last = reading.next();
    facts.close();
    assert.equal((await last).done, true);
    await assert.rejects(facts.append("a", bytes("late"), "late"), { code: "EVENTS_NOT_KEPT" });
    await assert.rejects(facts.span(), { code: "EVENTS_NOT_KEPT" });
  });

  it("taken out of the middle by an administrator stop nobody", async () => {
    const file = join(folder, "events.sqlite");
    const facts = open();
    const event = JSON.stringify(CLOUD);
    for (let n = 0; n < 9; n += 1) await facts.append("hub.ev.v1.a.b.-.-", bytes(event), `${n}`);
    const knife = new DatabaseSync(file);
    knife.exec(`DELETE FROM facts WHERE position BETWEEN ${BEGIN + 3} AND ${BEGIN + 5}`);
    knife.close();
    const bus = memoryBus({ log: silentLog, factsFile: file, clock });
    const closing = new AbortController();
    const positions: number[] = [];
    for await (const { position } of bus.events.read({ after: String(BEGIN), signal: closing.signal })) {
      positions.push(Number(position) - BEGIN);
      if (positions.length === 5) closing.abort();
    }
    assert.deepEqual(positions, [1, 2, 6, 7, 8]);
    await bus.close();
  });

  it("go when there are too many of them, the oldest first", async () => {
    const facts = open({ keptBytes: 2_000_000 });
    const large = bytes("x".repeat(2000));
    for (let round = 0; round < 6; round += 1)
      await Promise.all(Array.from({ length: 500 }, (_, n) => facts.append("a", large, `${round} ${n}`)));
    const { first, last } = await facts.span();
    assert.equal(last, BEGIN + 2999);
    assert.ok(first > BEGIN + 2000 && first <= last, `first ${first}`);
  });

  it("that cannot be written are not taken: said when the log is opened", () => {
    assert.throws(
      () => sqliteFacts({ file: join(folder, "missing", "events.sqlite") }),
      (error: unknown) => {
        assert.ok(error instanceof HubError);
        return error.code === "EVENTS_NOT_KEPT" && error.retryable;
      },
    );
  });

  it("that are gone are told to who asks for them: never a silent jump", async () => {
    const file = join(folder, "events.sqlite");
    const old = open({ keptMs: DAY_MS });
    await old.append("hub.ev.v1.a.b.-.-", bytes("{}"), "old");
    clock.forward(2 * DAY_MS);
    await Promise.all(
      Array.from({ length: 500 }, (_, n) => old.append("hub.ev.v1.a.b.-.-", bytes("{}"), `${n}`)),
    );
    const bus = memoryBus({ log: silentLog, factsFile: file, clock });
    const { signal } = new AbortController();
    const reading = bus.events.read({ after: "0000", signal })[Symbol.asyncIterator]();
    await assert.rejects(reading.next(), (error: unknown) => {
      assert.ok(error instanceof HubError);
      assert.deepEqual(
        [error.code, error.status, error.detail],
        ["EVENTS_CURSOR_EXPIRED", 410, { earliest: String(BEGIN) }],
      );
      return error.message.includes(`after ${BEGIN},`);
    });
    assert.deepEqual(await bus.events.span(), { earliest: String(BEGIN), latest: String(BEGIN + 500) });
    await bus.close();
  });
});
