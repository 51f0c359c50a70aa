import { strict as assert } from "node:assert";
import { it } from "node:test";
import { fresh, type Opened, probe, refusal } from "./probe.ts";

const big = (bytes: number) => "x".repeat(bytes);

/** What may stand in a document, and what comes back. */
export function documents(opened: Opened): void {
  it("keeps its own copy and hands out copies", async () => {
    const probes = fresh(opened);
    const tags = ["mine"];
    const doc = probe({ tags });
    const inserted = await probes.insert(doc);
    tags.push("changed");
    inserted.tags.push("changed too");
    assert.deepEqual((await probes.get(doc._id))?.tags, ["mine"]);
  });

  it("shows callers the schema's fields and no others", async () => {
    const probes = fresh(opened);
    const expected = [...Object.keys(probe()), "rev"].sort();
    const doc = await probes.insert(probe());
    assert.deepEqual(Object.keys(doc).sort(), expected);
    assert.deepEqual(Object.keys((await probes.patch(doc._id, 1, { set: {} })) ?? {}).sort(), expected);
    assert.deepEqual(Object.keys((await probes.get(doc._id)) ?? {}).sort(), expected);
    const { items } = await probes.find();
    assert.deepEqual(
      items.map((item) => Object.keys(item).sort()),
      [expected],
    );
  });

  it("keeps any JSON in a free field, whatever its names", async () => {
    const probes = fresh(opened);
    const free = {
      "": "empty name",
      "a.b": { "c.d": [[], {}, [[null]]] },
      constructor: 1,
      ünï: -1.5e-7,
      large: 1e300,
      precise: 0.1 + 0.2,
      integer: 9007199254740991,
      zero: -0,
      nul: "a\0b",
      line: '\u2028\n\t"\\',
      pair: "😀",
      date: "2026-11-22T12:00:00.000Z",
    };
    const { _id } = await probes.insert(probe({ free }));
    assert.deepEqual((await probes.get(_id))?.free, { ...free, zero: 0 });
    const patched = await probes.patch(_id, 1, { set: { free: { again: free } } });
    assert.deepEqual(patched?.free, { again: { ...free, zero: 0 } });
  });

  it("replaces half a surrogate pair, in the answer and in the store alike", async () => {
    const probes = fresh(opened);
    const doc = await probes.insert(probe({ name: "a\ud800b", free: { "k\udc00": "\udc00" } }));
    assert.equal(doc.name, "a\ufffdb");
    assert.deepEqual(doc.free, { "k\ufffd": "\ufffd" });
    assert.deepEqual(await probes.get(doc._id), doc);
    assert.equal(await probes.count({ name: "a\ud800b" }), 1);
  });

  it("finds a value that holds a NUL, and tells it from its beginning", async () => {
    const probes = fresh(opened);
    await probes.insert(probe({ _id: "whole", name: "a\0b" }));
    await probes.insert(probe({ _id: "start", name: "a" }));
    const named = async (name: string) =>
      (await probes.find({ where: { name } })).items.map((doc) => doc._id);
    assert.deepEqual(await named("a\0b"), ["whole"]);
    assert.deepEqual(await named("a"), ["start"]);
  });

  it("leaves out what is undefined", async () => {
    const probes = fresh(opened);
    const doc = await probes.insert(probe({ free: { gone: undefined, kept: 1 } }));
    assert.deepEqual(Object.keys(doc.free), ["kept"]);
    assert.equal("note" in doc, false);
  });

  it("refuses names that one of the stores cannot keep, as the sender's fault", async () => {
    const probes = fresh(opened);
    const mine = await probes.insert(probe());
    for (const free of [{ $set: 1 }, { a: [{ $x: 1 }] }, { "a\0b": 1 }, JSON.parse('{"__proto__": 1}')]) {
      const isRefused = (error: unknown) =>
        refusal("STORE_DOCUMENT_INVALID")(error) &&
        error instanceof Error &&
        "status" in error &&
        error.status === 400;
      await assert.rejects(probes.insert(probe({ free })), isRefused);
      await assert.rejects(probes.patch(mine._id, 1, { set: { free } }), isRefused);
    }
    let deep: Record<string, unknown> = {};
    for (let level = 0; level < 70; level++) deep = { deep };
    await assert.rejects(probes.insert(probe({ free: deep })), refusal("STORE_DOCUMENT_INVALID"));
  });

  it("refuses a document over 1 MB, whether inserted or grown", async () => {
    const probes = fresh(opened);
    const doc = await probes.insert(probe({ free: { a: big(600_000) } }));
    await assert.rejects(
      probes.insert(probe({ free: { a: big(1_000_000) } })),
      refusal("STORE_DOCUMENT_TOO_LARGE"),
    );
    const isTooLarge = refusal("STORE_DOCUMENT_TOO_LARGE");
    await assert.rejects(probes.patch(doc._id, 1, { set: { note: big(500_000) } }), isTooLarge);
    await assert.rejects(probes.patch(doc._id, 1, { set: { note: "ü".repeat(250_000) } }), isTooLarge);
    assert.deepEqual(await probes.get(doc._id), doc);
    const grown = await probes.patch(doc._id, 1, { set: { note: big(300_000) } });
    assert.equal(grown?.rev, 2);
  });
}
