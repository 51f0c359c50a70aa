import { strict as assert } from "node:assert";
import { it } from "node:test";
import type { Bus, StoredEvent } from "../bus.ts";
import { cloud, event, refusal, type SuiteBench, until } from "./bench.ts";

/** Follows a reading: what came so far, and how it ended. */
function follow(bus: Bus, options: { after?: string; types?: readonly string[] }) {
  const closing = new AbortController();
  const got: StoredEvent[] = [];
  const ended = (async () => {
    for await (const stored of bus.events.read({ ...options, signal: closing.signal })) got.push(stored);
  })();
  return {
    got,
    numbers: () => got.map(({ event: { data } }) => data.n),
    ended,
    async close() {
      closing.abort();
      await ended;
    },
  };
}

/** What the bus promises of facts that are kept. */
export function readingPromises({ connect }: Pick<SuiteBench, "connect">): void {
  it("reads facts again, from the beginning and behind a position, with their ids, then those that come", async () => {
    const [here, there] = await Promise.all([connect(), connect()]);
    const contract = event("fact");
    const ids = { userId: "u1", objectId: "o1" };
    for (let n = 0; n < 5; n += 1) await here.publish(contract, cloud(contract, n, "ü€"), ids);
    const all = follow(there, { after: "0", types: [contract.type] });
    await until(() => all.got.length === 5, "five kept facts");
    assert.deepEqual(all.numbers(), [0, 1, 2, 3, 4]);
    const [first, second] = all.got;
    assert.ok(first && second);
    assert.deepEqual([first.userId, first.objectId, first.event.data.text], ["u1", "o1", "ü€"]);
    const behind = follow(here, { after: second.position, types: [contract.type] });
    await until(() => behind.got.length === 3, "three behind the second");
    await here.publish(contract, cloud(contract, 5), {});
    await until(() => behind.got.length === 4 && all.got.length === 6, "the next");
    assert.deepEqual(behind.numbers(), [2, 3, 4, 5]);
    assert.deepEqual([all.got[5]?.userId, all.got[5]?.objectId], ["", ""]);
    const positions = all.got.map(({ position }) => Number(position));
    assert.deepEqual(
      positions,
      [...positions].sort((a, b) => a - b),
    );
    await Promise.all([all.close(), behind.close()]);
  });

  it("has a fact when it is acknowledged, and it once though it is sent twice", async () => {
    const [here, there] = await Promise.all([connect(), connect()]);
    const contract = event("fact");
    const sent = cloud(contract, 1);
    const { latest } = await there.events.span();
    await here.publish(contract, sent, {});
    assert.ok(Number((await there.events.span()).latest) > Number(latest));
    await here.publish(contract, sent, {});
    await here.publish(contract, cloud(contract, 2), {});
    const reading = follow(there, { after: latest, types: [contract.type] });
    await until(() => reading.numbers().includes(2), "the last fact");
    assert.deepEqual(reading.numbers(), [1, 2]);
    await reading.close();
  });

  it("without a position reads what comes from now on, without types all facts without a hole, and no notices", async () => {
    const [here, there] = await Promise.all([connect(), connect()]);
    const [one, other, told] = [event("fact"), event("fact"), event("notice")];
    await here.publish(one, cloud(one, 1), {});
    const { latest } = await there.events.span();
    const all = follow(there, { after: latest });
    const now = follow(there, { types: [one.type] });
    // The reading has begun when it brings something; others may publish beside this test.
    let n = 1;
    await until(() => {
      n += 1;
      if (now.got.length === 0) void here.publish(one, cloud(one, n), {});
      return now.got.length > 0;
    }, "a fact that came later");
    await here.publish(told, cloud(told, 3), {});
    await here.publish(other, cloud(other, 4), {});
    const typeOf = (stored: StoredEvent | undefined) => stored?.event.type;
    await until(() => all.got.some((stored) => typeOf(stored)?.includes(other.type)), "the other type");
    assert.ok(!now.numbers().includes(1));
    assert.ok(now.got.every((stored) => typeOf(stored)?.includes(one.type)));
    assert.ok(!all.got.some((stored) => typeOf(stored)?.includes(told.type)));
    const positions = all.got.map(({ position }) => Number(position));
    assert.deepEqual(
      positions,
      positions.map((_, index) => Number(latest) + 1 + index),
    );
    await Promise.all([all.close(), now.close()]);
  });

  it("refuses what is no position, and one that is not there yet", async () => {
    const bus = await connect();
    const { signal } = new AbortController();
    for (const after of ["x", "-1", "1.5", "", "9".repeat(30)])
      await assert.rejects(
        bus.events.read({ after, signal })[Symbol.asyncIterator]().next(),
        refusal("EVENTS_CURSOR_INVALID"),
        after,
      );
    await assert.rejects(
      bus.events.read({ after: "999999999", signal })[Symbol.asyncIterator]().next(),
      refusal("EVENTS_CURSOR_EXPIRED"),
    );
  });

  it("ends its readers when it is closed", async () => {
    const [here, there] = await Promise.all([connect(), connect()]);
    const contract = event("fact");
    const { latest } = await there.events.span();
    const reading = follow(there, { after: latest, types: [contract.type] });
    await here.publish(contract, cloud(contract, 1), {});
    await until(() => reading.got.length === 1, "the fact before");
    await there.close();
    await reading.ended;
  });

  it("keeps for who reads slowly, and ends where its reader does", async () => {
    const [here, there] = await Promise.all([connect(), connect()]);
    const contract = event("fact");
    const { latest } = await here.events.span();
    const closing = new AbortController();
    const reading = there.events
      .read({ after: latest, types: [contract.type], signal: closing.signal })
      [Symbol.asyncIterator]();
    const sending = Array.from({ length: 400 }, (_, n) => here.publish(contract, cloud(contract, n), {}));
    await Promise.all(sending);
    const got: unknown[] = [];
    for (let n = 0; n < 400; n += 1) {
      const { value } = await reading.next();
      got.push(value?.event.data.n);
      if (n % 50 === 0) await new Promise((resolve) => setTimeout(resolve, 20));
    }
    assert.equal(new Set(got).size, 400);
    const last = reading.next();
    closing.abort();
    assert.equal((await last).done, true);
  });
}

/** What it promises when the server goes away: run alone, as it takes the server. */
export function readingOutagePromises({ connect, down, up }: SuiteBench): void {
  it("goes on reading after an outage, without a hole", async () => {
    const [here, there] = await Promise.all([connect(), connect()]);
    const contract = event("fact");
    const { latest } = await here.events.span();
    const reading = follow(there, { after: latest });
    await here.publish(contract, cloud(contract, 1), {});
    await until(() => reading.got.length === 1, "the fact before");
    await down();
    await until(() => !here.connected && !there.connected, "both away");
    await assert.rejects(there.events.span(), refusal("BUS_AWAY"));
    await up();
    await until(() => here.connected && there.connected, "both back");
    for (let n = 2; n <= 4; n += 1) await here.publish(contract, cloud(contract, n), {});
    await until(() => reading.got.length >= 4, "three facts after");
    assert.deepEqual(reading.numbers(), [1, 2, 3, 4]);
    await reading.close();
  });
}
