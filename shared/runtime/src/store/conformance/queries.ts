import { strict as assert } from "node:assert";
import { before, describe, it } from "node:test";
import type { Filter } from "../store.ts";
import { fresh, type Opened, type Probes, probe } from "./probe.ts";

const morning = "2026-11-22T06:00:00.000Z";
const evening = "2026-11-22T18:00:00.000Z";

/** Filters and orders on a handful of documents whose answers can be seen by eye. */
export function queries(opened: Opened): void {
  let probes: Probes;
  before(async () => {
    probes = fresh(opened);
    await probes.insert(
      probe({ _id: "a", name: "Ada", size: 1, flag: true, at: morning, tags: ["x"], group: "g" }),
    );
    await probes.insert(probe({ _id: "b", name: "bob", size: 2, at: evening, tags: ["x", "y"], group: "g" }));
    await probes.insert(probe({ _id: "c", name: "", size: -3, flag: true, tags: [], owner: { id: "u1" } }));
    await probes.insert(probe({ _id: "d", name: "ädа", size: 2 ** 40, at: evening, tags: ["xy"] }));
  });
  const ids = async (where: Filter) => {
    const { items } = await probes.find({ where });
    assert.equal(await probes.count(where), items.length);
    return items.map((doc) => doc._id).join("");
  };
  const cases: [string, Filter, string][] = [
    ["nothing", {}, "abcd"],
    ["a string", { name: "bob" }, "b"],
    ["strings by their case", { name: "ada" }, ""],
    ["the empty string", { name: "" }, "c"],
    ["a number", { size: 2 }, "b"],
    ["a large number", { size: 2 ** 40 }, "d"],
    ["a boolean", { flag: true }, "ac"],
    ["false", { flag: false }, "bd"],
    ["a time", { at: morning }, "a"],
    ["a field inside an object", { "owner.id": "u1" }, "c"],
    ["the id", { _id: "b" }, "b"],
    ["ids", { _id: { in: ["d", "a", "zz"] } }, "ad"],
    ["one of several", { size: { in: [1, 2] } }, "ab"],
    ["one of none", { size: { in: [] } }, ""],
    ["booleans in a list", { flag: { in: [true] } }, "ac"],
    ["unequal", { name: { ne: "bob" } }, "acd"],
    ["unequal booleans", { flag: { ne: true } }, "bd"],
    ["greater", { size: { gt: 1 } }, "bd"],
    ["greater or equal", { size: { gte: 1 } }, "abd"],
    ["less", { size: { lt: 1 } }, "c"],
    ["less or equal", { size: { lte: 1 } }, "ac"],
    ["a range", { size: { gte: 1, lt: 3 } }, "ab"],
    ["times since", { at: { gte: evening } }, "bd"],
    ["times set at all", { at: { gt: "" } }, "abcd"],
    ["strings behind another", { name: { gt: "bob" } }, "d"],
    ["a member of a list", { tags: { has: "x" } }, "ab"],
    ["no member", { tags: { has: "z" } }, ""],
    ["several fields", { flag: true, size: { gt: 0 } }, "a"],
    ["and", { and: [{ size: { gt: 0 } }, { flag: false }, { tags: { has: "y" } }] }, "b"],
    ["or", { or: [{ size: 1 }, { name: "" }] }, "ac"],
    ["or beside a field", { flag: true, or: [{ size: 1 }, { name: "bob" }] }, "a"],
    [
      "or within and within or",
      { or: [{ and: [{ or: [{ size: 1 }, { size: 2 }] }, { flag: true }] }, { _id: "d" }] },
      "ad",
    ],
  ];
  describe("finds by", () => {
    for (const [what, where, expected] of cases)
      it(what, async () => {
        assert.equal(await ids(where), expected);
      });
  });

  it("gives values that look like operators no meaning", async () => {
    const own = fresh(opened);
    for (const name of ["$ne", "' OR 1=1 --", '"', "%", "_", "$.name", "{}", "null"]) {
      await own.insert(probe({ name }));
      assert.equal(await own.count({ name }), 1);
    }
    assert.equal(await own.count({ name: { in: ["' OR 1=1 --", "%"] } }), 2);
  });

  it("orders strings by their UTF-8 bytes, pairs beyond the rest", async () => {
    const own = fresh(opened);
    const ordered = [
      "",
      "\0",
      "A",
      "Z",
      "a",
      "a\0",
      "aa",
      "b",
      "ß",
      "ä",
      "я",
      "中",
      "\ud7ff",
      "\ufb01",
      "\uffee",
      "𐀀",
      "😀",
    ];
    ordered.sort((x, y) => Buffer.compare(Buffer.from(x), Buffer.from(y)));
    const shuffled = ordered.toSorted((x, y) => (x + 7 < y + 7 ? 1 : -1));
    for (const name of shuffled) await own.insert(probe({ _id: `i${name}`, name }));
    const by = async (field: "name" | "_id", desc: boolean) =>
      (await own.find({ sort: { by: [field], desc } })).items.map((doc) => doc.name);
    assert.deepEqual(await by("name", false), ordered);
    assert.deepEqual(await by("name", true), ordered.toReversed());
    assert.deepEqual(await by("_id", false), ordered);
    assert.deepEqual(await by("_id", true), ordered.toReversed());
    for (const [position, name] of ordered.entries()) {
      assert.equal(await own.count({ name: { lt: name } }), position, JSON.stringify(name));
      assert.equal(
        await own.count({ name: { gt: name } }),
        ordered.length - position - 1,
        JSON.stringify(name),
      );
      assert.equal(
        await own.count({ _id: { gt: `i${name}` } }),
        ordered.length - position - 1,
        JSON.stringify(name),
      );
    }
  });
}
