import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Bus, StoredEvent } from "@elara/runtime/bus/bus";
import { pino } from "pino";
import { eventStream } from "../src/events/event-stream.ts";
import { serverSent } from "../src/events/formats.ts";

const log = pino({ level: "silent" });
const query = { types: undefined, users: undefined, after: "0", waitSeconds: undefined };
const allowed = { wants: async () => true, confirm: async () => undefined };
const { signal: ending } = new AbortController();

const stored = (position: number): StoredEvent => ({
  position: String(position),
  userId: "u1",
  objectId: "s1",
  event: {
    specversion: "1.0",
    id: `e${position}`,
    source: "test",
    type: "org.elara.server.ready.v1",
    subject: "users/u1/servers/s1",
    time: "2026-11-23T00:00:00.000Z",
    datacontenttype: "application/json",
    seq: position,
    partitionkey: "u1",
    actor: "test",
    data: { filler: "x".repeat(1000) },
  },
});

/** A log of events that counts how many were fetched from it. */
function counted(count: number) {
  const state = { taken: 0, closed: false };
  const bus: Pick<Bus, "events"> = {
    events: {
      span: async () => ({ earliest: "0", latest: String(count) }),
      async *read({ signal }) {
        try {
          for (let position = 1; position <= count && !signal.aborted; position += 1) {
            state.taken = position;
            yield stored(position);
          }
          if (!signal.aborted) await new Promise((resolve) => signal.addEventListener("abort", resolve));
        } finally {
          state.closed = true;
        }
      },
    },
  };
  return { bus, state };
}

describe("a stream of events", () => {
  it("takes no more from the log than its client takes from it", async () => {
    const { bus, state } = counted(100_000);
    const stream = await eventStream({ bus, reader: allowed, query, format: serverSent, log, ending });
    for (let turns = 0; turns < 200; turns += 1) await new Promise(setImmediate);
    const unread = state.taken;
    assert.ok(unread < 100, `${unread} taken though nothing was read`);
    const reading = stream[Symbol.asyncIterator]();
    let bytes = 0;
    while (bytes < 1_000_000) bytes += (await reading.next()).value.length;
    assert.ok(state.taken > 700 && state.taken < 1000, `${state.taken} taken for a megabyte`);
    stream.destroy();
    await new Promise(setImmediate);
    assert.equal(state.closed, true);
  });

  it("beats while nothing happens, with the position it has looked up to", async () => {
    const { bus } = counted(3);
    const reader = { ...allowed, wants: async () => false };
    const stream = await eventStream({
      bus,
      reader,
      query,
      format: serverSent,
      log,
      ending,
      heartbeatMs: 20,
    });
    let text = "";
    for await (const chunk of stream) {
      text += chunk;
      if (text.includes("heartbeat\nid: 3\n")) break;
    }
    assert.ok(!text.includes("data:"));
  });

  it("ends for a client that takes nothing, when the credential is over", async () => {
    const { bus, state } = counted(100_000);
    let isOver = false;
    const reader = {
      ...allowed,
      confirm: async () => {
        if (isOver) throw new Error("over");
      },
    };
    const stream = await eventStream({ bus, reader, query, format: serverSent, log, ending });
    const began = performance.now();
    isOver = true;
    await new Promise((resolve) => stream.once("close", resolve));
    assert.ok(performance.now() - began < 5000);
    assert.equal(state.closed, true);
  });
});
