import { strict as assert } from "node:assert";
import { it } from "node:test";
import { fresh, type Opened, pending, pendingIds, probe } from "./probe.ts";

const first = "2026-11-22T12:00:01.000Z";
const second = "2026-11-22T12:00:02.000Z";

/** Events that wait in their document. */
export function outbox(opened: Opened): void {
  it("appends events in the same write, oldest first", async () => {
    const probes = fresh(opened);
    const { _id } = await probes.insert(probe());
    const one = await probes.patch(_id, 1, {
      set: { size: 1 },
      events: { at: first, list: [pending("e1")] },
    });
    assert.deepEqual([pendingIds(one), one?.pendingSince, one?.rev], [["e1"], first, 2]);
    const list = [pending("e2"), pending("e3")];
    const two = await probes.patch(_id, 2, { set: {}, events: { at: second, list } });
    assert.deepEqual([pendingIds(two), two?.pendingSince, two?.rev], [["e1", "e2", "e3"], first, 3]);
    assert.deepEqual(two?.pendingEvents[1], pending("e2"));
    assert.deepEqual((await probes.find({ where: { pendingSince: { gt: "" } } })).items, [two]);
  });

  it("says since when the oldest event waits, however many come after it, until none waits", async () => {
    const probes = fresh(opened);
    const { _id } = await probes.insert(probe());
    const events = (at: string, id: string) => ({ set: {}, events: { at, list: [pending(id)] } });
    await probes.patch(_id, 1, events(first, "e1"));
    assert.equal((await probes.patch(_id, 2, events(second, "e2")))?.pendingSince, first);
    await probes.settle(_id, ["e2"]);
    assert.equal((await probes.patch(_id, 3, events(second, "e3")))?.pendingSince, first);
    await probes.settle(_id, ["e1", "e3"]);
    assert.equal((await probes.patch(_id, 4, events(second, "e4")))?.pendingSince, second);
    assert.equal(await probes.patch(_id, 4, events(first, "e5")), undefined, "another was first");
    assert.deepEqual(pendingIds(await probes.get(_id)), ["e4"]);
  });

  it("takes no events for an empty list", async () => {
    const probes = fresh(opened);
    const { _id } = await probes.insert(probe());
    const doc = await probes.patch(_id, 1, { set: {}, events: { at: first, list: [] } });
    assert.deepEqual([doc?.pendingEvents, doc?.pendingSince], [[], ""]);
  });

  it("writes no event when the compare fails", async () => {
    const probes = fresh(opened);
    const { _id } = await probes.insert(probe());
    assert.equal(
      await probes.patch(_id, 7, { set: {}, events: { at: first, list: [pending("e1")] } }),
      undefined,
    );
    assert.deepEqual(pendingIds(await probes.get(_id)), []);
  });

  it("settles the named events without raising rev", async () => {
    const probes = fresh(opened);
    const { _id } = await probes.insert(probe());
    await probes.patch(_id, 1, {
      set: {},
      events: { at: first, list: [pending("e1"), pending("e2"), pending("e3")] },
    });
    await probes.settle(_id, ["e1", "e3", "unknown"]);
    const some = await probes.get(_id);
    assert.deepEqual([pendingIds(some), some?.pendingSince, some?.rev], [["e2"], first, 2]);
    await probes.settle(_id, ["e2"]);
    const none = await probes.get(_id);
    assert.deepEqual([none?.pendingEvents, none?.pendingSince, none?.rev], [[], "", 2]);
    assert.equal(await probes.count({ pendingSince: { gt: "" } }), 0);
  });

  it("lets a caller who read before the settling write after it, without bringing events back", async () => {
    const probes = fresh(opened);
    const { _id } = await probes.insert(probe());
    const read = await probes.patch(_id, 1, { set: {}, events: { at: first, list: [pending("e1")] } });
    await probes.settle(_id, ["e1"]);
    const after = await probes.patch(_id, read?.rev ?? 0, { set: { size: 5 } });
    assert.deepEqual([after?.size, after?.pendingEvents, after?.pendingSince], [5, [], ""]);
  });

  it("settles what is not there, twice, and nothing at all", async () => {
    const probes = fresh(opened);
    const doc = await probes.insert(probe());
    await probes.settle("nobody", ["e1"]);
    await probes.settle(doc._id, ["e1"]);
    await probes.settle(doc._id, []);
    assert.deepEqual(await probes.get(doc._id), doc);
  });

  it("keeps events that were inserted with their document", async () => {
    const probes = fresh(opened);
    const doc = await probes.insert(probe({ pendingEvents: [pending("e1")], pendingSince: first, seq: 1 }));
    assert.deepEqual(doc.pendingEvents, [pending("e1")]);
    await probes.settle(doc._id, ["e1"]);
    assert.equal((await probes.get(doc._id))?.pendingSince, "");
  });
}
