import { strict as assert } from "node:assert";
import { it } from "node:test";
import { codeOf } from "@elara/contracts";
import { type Opened, type Probes, pending, pendingIds, probe, replicas } from "./probe.ts";

/** More than any sound store needs: a broken one must fail, not go on for ever. */
const MAX_TRIES = 2000;
const AT = "2026-11-22T12:00:01.000Z";

/** Many callers at once, spread over all replicas. */
export function concurrency(opened: Opened): void {
  const spread = (all: Probes[], n: number): Probes => {
    const one = all[n % all.length];
    if (!one) throw new RangeError("a bench has a store");
    return one;
  };

  it("lets exactly one of 100 compare-and-swaps win, round after round", async () => {
    const all = replicas(opened);
    const { _id } = await spread(all, 0).insert(probe());
    for (let rev = 1; rev <= 3; rev++) {
      const tries = Array.from({ length: 100 }, (_, n) =>
        spread(all, n).patch(_id, rev, { set: { size: n } }),
      );
      const won = (await Promise.all(tries)).filter((doc) => doc !== undefined);
      assert.equal(won.length, 1);
      assert.deepEqual(await spread(all, rev).get(_id), won[0]);
      assert.equal(won[0]?.rev, rev + 1);
    }
  });

  it("loses no increment of callers who try again", async () => {
    const all = replicas(opened);
    const { _id } = await spread(all, 0).insert(probe());
    const increment = async (probes: Probes): Promise<void> => {
      for (let tries = 0; tries < MAX_TRIES; tries++) {
        const doc = await probes.get(_id);
        if (doc && (await probes.patch(_id, doc.rev, { set: { size: doc.size + 1 } }))) return;
      }
      assert.fail("never won");
    };
    const worker = async (n: number) => {
      for (let step = 0; step < 5; step++) await increment(spread(all, n));
    };
    await Promise.all(Array.from({ length: 10 }, (_, n) => worker(n)));
    const doc = await spread(all, 0).get(_id);
    assert.deepEqual([doc?.size, doc?.rev], [50, 51]);
  });

  it("inserts an id and a unique value once", async () => {
    const all = replicas(opened);
    const outcome = (n: number, fields: { _id?: string; name?: string }) =>
      spread(all, n)
        .insert(probe(fields))
        .then(() => "won", codeOf);
    for (const fields of [{ _id: "one" }, { name: "only" }]) {
      const outcomes = await Promise.all(Array.from({ length: 50 }, (_, n) => outcome(n, fields)));
      assert.equal(outcomes.filter((one) => one === "won").length, 1);
      assert.equal(outcomes.filter((one) => one === "STORE_CONFLICT").length, 49);
    }
    assert.equal(await spread(all, 0).count(), 2);
  });

  it("lets exactly one of many compare-and-deletes win", async () => {
    const all = replicas(opened);
    const { _id } = await spread(all, 0).insert(probe());
    const outcomes = await Promise.all(Array.from({ length: 50 }, (_, n) => spread(all, n).delete(_id, 1)));
    assert.equal(outcomes.filter(Boolean).length, 1);
  });

  it("neither loses nor doubles an event when settling races with changes", async () => {
    const all = replicas(opened);
    const { _id } = await spread(all, 0).insert(probe());
    const total = 60;
    let isWriting = true;
    const settled: unknown[] = [];
    const write = async () => {
      let rev = 1;
      for (let n = 0; n < total; n++) {
        const doc = await spread(all, n).patch(_id, rev, {
          set: { size: n + 1 },
          events: { at: AT, list: [pending(`e${n}`)] },
        });
        // Settling never moves rev: a lone writer never has to try again.
        assert.ok(doc, `write ${n} was refused`);
        rev = doc.rev;
      }
    };
    const relay = async (n: number) => {
      for (let tries = 0; tries < MAX_TRIES; tries++) {
        const isLast = !isWriting;
        const ids = pendingIds(await spread(all, n).get(_id)).filter((id) => typeof id === "string");
        await spread(all, n).settle(_id, ids);
        settled.push(...ids);
        if (isLast && ids.length === 0) return;
      }
      assert.fail("the outbox is never empty");
    };
    const writing = write().finally(() => {
      isWriting = false;
    });
    await Promise.all([writing, relay(0), relay(1)]);
    assert.deepEqual(new Set(settled), new Set(Array.from({ length: total }, (_, n) => `e${n}`)));
    const doc = await spread(all, 0).get(_id);
    assert.deepEqual(
      [doc?.pendingEvents, doc?.pendingSince, doc?.size, doc?.rev],
      [[], "", total, total + 1],
    );
  });

  it("shows a caller its own write, and a write to every replica once it is answered", async () => {
    const all = replicas(opened);
    for (let n = 0; n < 20; n++) {
      const doc = await spread(all, n).insert(probe({ size: n }));
      assert.deepEqual(await spread(all, n + 1).get(doc._id), doc);
      assert.equal(await spread(all, n + 1).count(), n + 1);
    }
  });
}
