import { strict as assert } from "node:assert";
import { it } from "node:test";
import type { Condition, Filter, Query } from "../store.ts";
import { fieldsOf, matches, ordered } from "./model.ts";
import { pages } from "./paging.ts";
import { fresh, insertAll, type Opened, type ProbeDoc, probe } from "./probe.ts";

const DOCUMENTS = 150;
const STRINGS = [
  "",
  "a",
  "A",
  "aa",
  "b",
  "\0",
  "a\0",
  "é",
  "e\u0301",
  "中",
  "\uffee",
  "😀",
  "𐀀",
  "$a",
  "0",
  "10",
  "9",
  "null",
];
const SIZES = [-(2 ** 53) + 1, -1, 0, 1, 2, 9, 10, 2 ** 31, 2 ** 32 + 1, 2 ** 53 - 1];
const TIMES = ["2025-12-31T23:59:59.999Z", "2026-01-01T00:00:00.000Z", "2026-01-01T00:00:00.001Z"];

/** Random numbers from a seed (mulberry32). */
function random(seed: number) {
  let state = seed;
  const next = (): number => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  const below = (limit: number): number => Math.floor(next() * limit);
  const pick = <T>(list: readonly T[]): T => {
    const item = list[below(list.length)];
    if (item === undefined) throw new RangeError("nothing to pick from");
    return item;
  };
  return {
    below,
    pick,
    some: <T>(list: readonly T[], most: number) => Array.from({ length: below(most + 1) }, () => pick(list)),
  };
}
type Random = ReturnType<typeof random>;

const document = (dice: Random, n: number) =>
  probe({
    _id: `${dice.pick(STRINGS)}|${n}`,
    name: `${dice.pick(STRINGS)}|${n}`,
    group: dice.pick(STRINGS),
    size: dice.pick(SIZES),
    at: dice.pick(TIMES),
    flag: dice.below(2) === 0,
    tags: dice.some(STRINGS, 4),
    owner: { id: dice.pick(STRINGS) },
    pendingSince: dice.pick(["", ...TIMES]),
  });

function filter(dice: Random, docs: readonly ProbeDoc[], depth = 0): Filter {
  const kind = depth < 3 ? dice.below(10) : 9;
  if (kind === 0) return { or: [filter(dice, docs, depth + 1), filter(dice, docs, depth + 1)] };
  if (kind === 1) return { and: [filter(dice, docs, depth + 1), filter(dice, docs, depth + 1)] };
  const field = dice.pick(["_id", "name", "group", "size", "at", "flag", "tags", "owner.id", "pendingSince"]);
  return { [field]: condition(dice, docs, field) };
}

function condition(dice: Random, docs: readonly ProbeDoc[], field: string): Condition {
  if (field === "tags") return { has: dice.pick(STRINGS) };
  if (field === "flag") return dice.pick<Condition>([true, false, { ne: true }, { in: [false] }, { in: [] }]);
  const operand = (): string | number => {
    if (field === "size") return dice.pick(SIZES);
    if (field === "at") return dice.pick(TIMES);
    if (field === "pendingSince") return dice.pick(["", ...TIMES]);
    const own = dice.pick(docs);
    return field === "_id" ? own._id : field === "name" ? own.name : dice.pick(STRINGS);
  };
  const make: (() => Condition)[] = [
    operand,
    () => ({ ne: operand() }),
    () => ({ in: [operand(), operand()] }),
    () => ({ gt: operand() }),
    () => ({ gte: operand() }),
    () => ({ lt: operand() }),
    () => ({ lte: operand() }),
    () => ({ gte: operand(), lt: operand() }),
  ];
  return dice.pick(make)();
}

const INDEXES = [
  ["_id"],
  ["name"],
  ["group", "size", "_id"],
  ["size", "_id"],
  ["at", "_id"],
  ["flag", "_id"],
  ["owner.id", "_id"],
  ["pendingSince", "_id"],
];

/** Random filters and orders against a plain model of them: what both stores agree on with it, they agree on with each other. */
export function randomised(
  opened: Opened,
  { seed = Math.floor(Math.random() * 2 ** 31), queries = 250 }: { seed?: number; queries?: number },
): void {
  it(`answers ${queries} random queries as the model does, seed ${seed}`, async () => {
    const dice = random(seed);
    const probes = fresh(opened);
    const docs = await insertAll(
      probes,
      Array.from({ length: DOCUMENTS }, (_, n) => document(dice, n)),
    );
    for (let n = 0; n < queries; n++) {
      const where = filter(dice, docs);
      const sort = { by: dice.pick(INDEXES), desc: dice.below(2) === 0 };
      const limit = dice.pick([7, 40, 1000]);
      const query: Query = { where, sort, limit };
      const expected = ordered(
        docs.filter((doc) => matches(doc, where)),
        fieldsOf(sort.by),
        sort.desc,
      );
      const told = `query ${n}: ${JSON.stringify(query)}`;
      assert.deepEqual((await pages(probes, query)).flat(), expected, told);
      assert.equal(await probes.count(where), expected.length, told);
    }
  });
}
