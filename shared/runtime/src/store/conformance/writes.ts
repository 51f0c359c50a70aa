import { strict as assert } from "node:assert";
import { it } from "node:test";
import { fresh, type Opened, probe, refusal } from "./probe.ts";

/** Insert, patch, delete, get of one caller. */
export function writes(opened: Opened): void {
  it("gives back what was inserted, with rev 1", async () => {
    const probes = fresh(opened);
    const doc = probe({ name: "ada", size: 3, tags: ["a", "b"], free: { deep: { list: [1, "two", null] } } });
    const inserted = await probes.insert(doc);
    assert.deepEqual(inserted, { ...doc, rev: 1 });
    assert.deepEqual(await probes.get(doc._id), inserted);
    assert.equal(await probes.get("nobody"), undefined);
  });

  it("refuses a second document of the same id or unique value", async () => {
    const probes = fresh(opened);
    const ada = await probes.insert(probe({ name: "ada" }));
    const bob = await probes.insert(probe({ name: "bob" }));
    await assert.rejects(probes.insert(probe({ _id: ada._id, name: "eve" })), refusal("STORE_CONFLICT"));
    await assert.rejects(probes.insert(probe({ name: "ada" })), refusal("STORE_CONFLICT"));
    await assert.rejects(probes.patch(bob._id, 1, { set: { name: "ada" } }), refusal("STORE_CONFLICT"));
    assert.deepEqual(await probes.get(bob._id), bob);
    assert.equal(await probes.count(), 2);
  });

  it("frees a unique value when its document changes or goes", async () => {
    const probes = fresh(opened);
    const ada = await probes.insert(probe({ name: "ada" }));
    await probes.patch(ada._id, 1, { set: { name: "eve" } });
    const second = await probes.insert(probe({ name: "ada" }));
    await probes.delete(second._id);
    await probes.insert(probe({ name: "ada" }));
  });

  it("sets the named fields only and raises rev", async () => {
    const probes = fresh(opened);
    const doc = await probes.insert(probe({ size: 1, free: { kept: true }, note: "kept" }));
    const after = await probes.patch(doc._id, 1, { set: { size: 2, owner: { id: "u1" } } });
    assert.deepEqual(after, { ...doc, size: 2, owner: { id: "u1" }, rev: 2 });
    assert.deepEqual(await probes.get(doc._id), after);
  });

  it("sets a field as a whole, not its parts", async () => {
    const probes = fresh(opened);
    const doc = await probes.insert(probe({ free: { a: 1, b: 2 } }));
    const after = await probes.patch(doc._id, 1, { set: { free: { b: 3 } } });
    assert.deepEqual(after?.free, { b: 3 });
  });

  it("raises rev also when nothing is set", async () => {
    const probes = fresh(opened);
    const doc = await probes.insert(probe());
    assert.deepEqual(await probes.patch(doc._id, 1, { set: {} }), { ...doc, rev: 2 });
  });

  it("answers undefined to a patch of another rev or of nothing", async () => {
    const probes = fresh(opened);
    const doc = await probes.insert(probe());
    assert.equal(await probes.patch(doc._id, 2, { set: { size: 9 } }), undefined);
    assert.equal(await probes.patch(doc._id, 0, { set: { size: 9 } }), undefined);
    assert.equal(await probes.patch("nobody", 1, { set: { size: 9 } }), undefined);
    assert.deepEqual(await probes.get(doc._id), doc);
  });

  it("deletes by id, or by id and rev", async () => {
    const probes = fresh(opened);
    const doc = await probes.insert(probe());
    assert.equal(await probes.delete(doc._id, 2), false);
    assert.deepEqual(await probes.get(doc._id), doc);
    assert.equal(await probes.delete(doc._id, 1), true);
    assert.equal(await probes.get(doc._id), undefined);
    assert.equal(await probes.delete(doc._id), false);
    const other = await probes.insert(probe());
    await probes.patch(other._id, 1, { set: { size: 1 } });
    assert.equal(await probes.delete(other._id), true);
  });

  it("answers a ping", async () => {
    await opened().stores[0].ping();
  });
}
