import { strict as assert } from "node:assert";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, it } from "node:test";
import { HubError } from "@elara/contracts";
import { memoryBus } from "../../src/bus/memory.ts";
import { type FactStore, type FactStoreOptions, sqliteFacts } from "../../src/bus/sqlite-facts.ts";
import { type TestClock, testClock } from "../fixtures/clock.ts";
import { silentLog } from "../fixtures/log.ts";

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const DAY_MS = 86_400_000;

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
    assert.deepEqual(await kept(second), ["1 one", "2 two"]);
    await second.append("a", bytes("two again"), "2");
    await second.append("a", bytes("three"), "3");
    assert.deepEqual(await kept(second, 1), ["2 two", "3 three"]);
  });

  it("go after their time, and positions are never used again", async () => {
    const facts = open({ keptMs: 14 * DAY_MS });
    for (let n = 0; n < 3; n += 1) await facts.append("a", bytes(`old ${n}`), `old ${n}`);
    clock.forward(15 * DAY_MS);
    await Promise.all(Array.from({ length: 500 }, (_, n) => facts.append("a", bytes(`${n}`), `${n}`)));
    assert.deepEqual(await facts.span(), { first: 4, last: 503 });
    clock.forward(15 * DAY_MS);
    await Promise.all(Array.from({ length: 500 }, (_, n) => facts.append("b", bytes(`${n}`), `b${n}`)));
    assert.deepEqual(await facts.span(), { first: 504, last: 1003 });
  });

  it("go when there are too many of them, the oldest first", async () => {
    const facts = open({ keptBytes: 2_000_000 });
    const large = bytes("x".repeat(2000));
    for (let round = 0; round < 6; round += 1)
      await Promise.all(Array.from({ length: 500 }, (_, n) => facts.append("a", large, `${round} ${n}`)));
    const { first, last } = await facts.span();
    assert.equal(last, 3000);
    assert.ok(first > 2000 && first <= last, `first ${first}`);
  });

  it("that cannot be written are not acknowledged", async () => {
    const facts = sqliteFacts({ file: join(folder, "missing", "events.sqlite") });
    await assert.rejects(facts.append("a", bytes("1"), "1"), (error: unknown) => {
      assert.ok(error instanceof HubError);
      return error.code === "EVENTS_NOT_KEPT" && error.retryable;
    });
  });

  it("that are gone are told to who asks for them: never a silent jump", async () => {
    const file = join(folder, "events.sqlite");
    const old = open({ keptMs: DAY_MS });
    await old.append("hub.ev.v1.a.b.-.-", bytes("{}"), "old");
    clock.forward(2 * DAY_MS);
    await Promise.all(
      Array.from({ length: 500 }, (_, n) => old.append("hub.ev.v1.a.b.-.-", bytes("{}"), `${n}`)),
    );
    const bus = memoryBus({ log: silentLog, factsFile: file });
    const { signal } = new AbortController();
    const reading = bus.events.read({ after: "0000", signal })[Symbol.asyncIterator]();
    await assert.rejects(reading.next(), (error: unknown) => {
      assert.ok(error instanceof HubError);
      assert.deepEqual(
        [error.code, error.status, error.detail],
        ["EVENTS_CURSOR_EXPIRED", 410, { earliest: "1" }],
      );
      return error.message.includes("after 1,");
    });
    assert.deepEqual(await bus.events.span(), { earliest: "1", latest: "501" });
    await bus.close();
  });
});
