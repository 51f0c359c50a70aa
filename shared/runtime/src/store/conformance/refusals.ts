import { strict as assert } from "node:assert";
import { describe, it } from "node:test";
import { collection, HubError } from "@elara/contracts";
import { Type } from "typebox";
import type { Filter, Query } from "../store.ts";
import { fresh, type Opened, pending, probe, probeCollection, refusal } from "./probe.ts";

/** JSON and JavaScript that types forbid but requests carry. */
const filters: [string, unknown][] = [
  ["null", { name: null }],
  ["undefined", { name: undefined }],
  ["NaN", { size: Number.NaN }],
  ["infinity", { size: { gt: Number.POSITIVE_INFINITY } }],
  ["a fraction", { size: { gt: 0.5 } }],
  ["an object", { name: { a: 1 } }],
  ["an empty object", { name: {} }],
  ["an operator of another language", { name: { $ne: "" } }],
  ["a regular expression", { name: /a/ }],
  ["a date", { at: new Date() }],
  ["an array", { name: ["a"] }],
  ["a number for a string", { name: 1 }],
  ["a string for a number", { size: "1" }],
  ["a number for a boolean", { flag: 1 }],
  ["a time in milliseconds", { at: { gt: 0 } }],
  ["a time of another width", { at: { gt: "2026-11-22T12:00:00Z" } }],
  ["a range of booleans", { flag: { gt: false } }],
  ["mixed types in a list", { size: { in: [1, "2"] } }],
  ["null in a list", { size: { in: [null] } }],
  ["a list that is none", { size: { in: 1 } }],
  ["a list too long", { size: { in: Array.from({ length: 1001 }, (_, n) => n) } }],
  ["two operators that are no range", { size: { gt: 1, ne: 2 } }],
  ["an undeclared field", { note: "x" }],
  ["a field inside a free one", { "free.a": "x" }],
  ["a method's name", { toString: "x" }],
  ["rev", { rev: 1 }],
  ["has on a string", { name: { has: "a" } }],
  ["equality on a list", { tags: "x" }],
  ["in on a list", { tags: { in: ["x"] } }],
  ["has of a number", { tags: { has: 1 } }],
  ["an empty or", { or: [] }],
  ["an empty and", { and: [] }],
  ["an or that is no list", { or: { name: "x" } }],
  ["null as a filter", { or: [null] }],
  [
    "a filter nested too deep",
    Array.from({ length: 12 }).reduce<unknown>((inner) => ({ or: [inner] }), { name: "x" }),
  ],
];

const queries: [string, unknown][] = [
  ["sorting by no index", { sort: { by: ["name", "size"] } }],
  ["sorting by a list", { sort: { by: ["tags"] } }],
  ["sorting by an undeclared field", { sort: { by: ["note"] } }],
  ["sorting by part of an index", { sort: { by: ["group", "_id"] } }],
  ["no documents", { limit: 0 }],
  ["fewer than none", { limit: -1 }],
  ["too many documents", { limit: 1001 }],
  ["half a document", { limit: 1.5 }],
];

/** Puts a value where the types would not let it. */
const smuggled = <T>(value: unknown): T => value as T;

/** What is refused before it reaches the database. */
export function refusals(opened: Opened): void {
  const isInvalid = refusal("STORE_QUERY_INVALID");
  describe("refuses in a filter", () => {
    for (const [what, filter] of filters)
      it(what, async () => {
        const probes = fresh(opened);
        await assert.rejects(probes.find({ where: smuggled<Filter>(filter) }), isInvalid);
        await assert.rejects(probes.count(smuggled<Filter>(filter)), isInvalid);
      });
  });
  describe("refuses in a query", () => {
    for (const [what, query] of queries)
      it(what, async () => {
        await assert.rejects(fresh(opened).find(smuggled<Query>(query)), isInvalid);
      });
  });

  it("refuses documents that do not fit the schema", async () => {
    const probes = fresh(opened);
    const good = probe();
    const { group: _, ...lacking } = good;
    const bad = [
      lacking,
      { ...good, size: 1.5 },
      { ...good, size: 2 ** 60 },
      { ...good, at: "noon" },
      { ...good, name: null },
    ];
    for (const doc of [
      ...bad,
      { ...good, extra: 1 },
      { ...good, _w: ["x"] },
      { ...good, _id: "" },
      { ...good, tags: "x" },
    ])
      await assert.rejects(probes.insert(smuggled(doc)), refusal("STORE_DOCUMENT_INVALID"));
    for (const free of [{ a: Number.NaN }, { a: new Date() }, { a: () => 1 }, { a: 1n }, { a: new Map() }])
      await assert.rejects(probes.insert({ ...good, free }), refusal("STORE_DOCUMENT_INVALID"));
    assert.equal(await probes.count(), 0);
  });

  it("refuses changes that do not fit the schema, and of what the store keeps itself", async () => {
    const probes = fresh(opened);
    const doc = await probes.insert(probe());
    const sets = [
      { size: "1" },
      { size: 2 ** 60 },
      { at: "noon" },
      { extra: 1 },
      { "owner.id": "x" },
      { owner: {} },
      { name: null },
    ];
    for (const set of [...sets, { _id: "x" }, { rev: 7 }, { pendingEvents: [] }, { pendingSince: "" }])
      await assert.rejects(
        probes.patch(doc._id, 1, { set: smuggled(set) }),
        refusal("STORE_DOCUMENT_INVALID"),
      );
    const events = { at: "noon", list: [pending("e1")] };
    await assert.rejects(probes.patch(doc._id, 1, { set: {}, events }), refusal("STORE_DOCUMENT_INVALID"));
    assert.deepEqual(await probes.get(doc._id), doc);
  });

  it("says which field was wrong to the log, not to the user", async () => {
    const fault = await fresh(opened)
      .count(smuggled<Filter>({ secret: 1 }))
      .catch((error: unknown) => error);
    assert.ok(fault instanceof HubError);
    assert.equal(fault.message.includes("secret"), false);
    assert.match(String(fault.detail), /"secret" is not declared/);
  });

  it("refuses events in a collection that has none", async () => {
    const plain = collection({
      ...probeCollection(),
      schema: Type.Object({ _id: Type.String(), rev: Type.Integer(), v: Type.Integer() }),
      fields: {},
      indexes: [],
    });
    const documents = opened().stores[0].collection(plain);
    await documents.insert({ _id: "a", v: 1 });
    const events = { at: "2026-11-22T12:00:01.000Z", list: [pending("e1")] };
    await assert.rejects(documents.patch("a", 1, { set: {}, events }), refusal("STORE_DOCUMENT_INVALID"));
    await assert.rejects(documents.settle("a", ["e1"]), refusal("STORE_DOCUMENT_INVALID"));
    assert.deepEqual(await documents.get("a"), { _id: "a", rev: 1, v: 1 });
  });

  it("refuses declarations that would differ between the stores", () => {
    const [store] = opened().stores;
    const good = probeCollection();
    const bad: Partial<typeof good>[] = [
      { name: "No name" },
      { fields: { ...good.fields, note: "string" } },
      { fields: { ...good.fields, size: "string" } },
      { fields: { ...good.fields, group: "time" } },
      { fields: { ...good.fields, "free.a": "string" } },
      { fields: { ...good.fields, missing: "string" } },
      { indexes: [{ fields: ["size"] }] },
      { indexes: [{ fields: ["tags", "_id"] }] },
      { indexes: [{ fields: ["missing", "_id"] }] },
      { indexes: [{ fields: [] }] },
    ];
    for (const wrong of bad) assert.throws(() => store.collection({ ...good, ...wrong }), TypeError);
    store.collection(good);
    assert.throws(() => store.collection({ ...good }), TypeError);
  });
}
