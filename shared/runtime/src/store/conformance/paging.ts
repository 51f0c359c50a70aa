import { strict as assert } from "node:assert";
import { it } from "node:test";
import type { Query } from "../store.ts";
import { fresh, insertAll, type Opened, type Probes, probe, refusal } from "./probe.ts";

const MAX_PAGES = 1000;

/** All pages of a query, one after the other. */
export async function pages(
  probes: Probes,
  query: Query,
  between?: (page: number) => Promise<void>,
): Promise<string[][]> {
  const found: string[][] = [];
  let after: string | undefined;
  do {
    const page = await probes.find({ ...query, ...(after !== undefined && { after }) });
    found.push(page.items.map((doc) => doc._id));
    after = page.next;
    assert.ok(found.length <= MAX_PAGES, "the pages do not end");
    await between?.(found.length);
  } while (after !== undefined);
  return found;
}

const filled = async (opened: Opened, count: number): Promise<Probes> => {
  const probes = fresh(opened);
  const documents = Array.from({ length: count }, (_, n) =>
    probe({ _id: `i${String(n).padStart(4, "0")}`, group: n % 2 ? "odd" : "even", size: n % 5 }),
  );
  await insertAll(probes, documents);
  return probes;
};

/** Sorting and paging by declared indexes. */
export function paging(opened: Opened): void {
  it("goes through all documents once, in order, and ends", async () => {
    const probes = await filled(opened, 25);
    const found = await pages(probes, { limit: 10 });
    assert.deepEqual(
      found.map((page) => page.length),
      [10, 10, 5],
    );
    assert.deepEqual(found.flat(), found.flat().toSorted());
    assert.equal(new Set(found.flat()).size, 25);
  });

  it("has no next page when the last one is just full", async () => {
    const probes = await filled(opened, 20);
    assert.deepEqual(
      (await pages(probes, { limit: 10 })).map((page) => page.length),
      [10, 10],
    );
    assert.deepEqual(await pages(fresh(opened), {}), [[]]);
  });

  it("gives at most 1,000 documents", async () => {
    const probes = await filled(opened, 1001);
    assert.deepEqual(
      (await pages(probes, {})).map((page) => page.length),
      [1000, 1],
    );
  });

  it("pages by an index of several fields in both directions, equal values told apart by id", async () => {
    const probes = await filled(opened, 40);
    const key = (id: string) =>
      [Number(id.slice(1)) % 2 ? "odd" : "even", (Number(id.slice(1)) % 5).toString(), id].join(" ");
    const all = (await pages(probes, {})).flat();
    const expected = all.toSorted((a, b) => (key(a) < key(b) ? -1 : 1));
    const by = ["group", "size", "_id"];
    assert.deepEqual((await pages(probes, { sort: { by }, limit: 7 })).flat(), expected);
    assert.deepEqual(
      (await pages(probes, { sort: { by, desc: true }, limit: 7 })).flat(),
      expected.toReversed(),
    );
    const odd = await pages(probes, { where: { group: "odd" }, sort: { by, desc: true }, limit: 3 });
    assert.deepEqual(
      odd.flat(),
      expected.toReversed().filter((id) => key(id).startsWith("odd")),
    );
  });

  it("takes an index with or without its closing _id", async () => {
    const probes = await filled(opened, 10);
    const first = await probes.find({ sort: { by: ["size"] }, limit: 4 });
    const second = await probes.find({ sort: { by: ["size", "_id"] }, limit: 9, after: first.next ?? "" });
    assert.equal(new Set([...first.items, ...second.items].map((doc) => doc._id)).size, 10);
  });

  it("neither repeats nor skips a document that stays, while others come and go", async () => {
    const probes = await filled(opened, 30);
    const before = (await pages(probes, { sort: { by: ["size", "_id"] } })).flat();
    const gone = new Set<string>();
    const found = await pages(probes, { sort: { by: ["size", "_id"] }, limit: 4 }, async (page) => {
      await probes.insert(probe({ _id: `n${page}`, size: page % 5 }));
      const victim = before[page * 5];
      if (victim !== undefined && (await probes.delete(victim))) gone.add(victim);
    });
    const seen = found.flat();
    assert.equal(new Set(seen).size, seen.length);
    const stayed = before.filter((id) => !gone.has(id));
    assert.deepEqual(
      seen.filter((id) => stayed.includes(id)),
      stayed,
    );
  });

  it("goes on behind a document that was deleted", async () => {
    const probes = await filled(opened, 6);
    const { items, next } = await probes.find({ limit: 3 });
    await probes.delete(items.at(-1)?._id ?? "");
    const rest = await probes.find({ after: next ?? "" });
    assert.deepEqual(
      rest.items.map((doc) => doc._id),
      ["i0003", "i0004", "i0005"],
    );
  });

  it("refuses a cursor of another order, a changed one and none", async () => {
    const probes = await filled(opened, 6);
    const { next = "" } = await probes.find({ sort: { by: ["size", "_id"] }, limit: 3 });
    const isRefused = refusal("STORE_CURSOR_INVALID");
    const forged = Buffer.from(JSON.stringify(["+size,_id", { $gt: 0 }, "x"])).toString("base64url");
    for (const after of ["", "x", next.slice(0, -4), forged])
      await assert.rejects(probes.find({ sort: { by: ["size", "_id"] }, after }), isRefused);
    await assert.rejects(probes.find({ after: next }), isRefused);
    await assert.rejects(probes.find({ sort: { by: ["size", "_id"], desc: true }, after: next }), isRefused);
  });
}
