import { strict as assert } from "node:assert";
import { execFile } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { fileURLToPath } from "node:url";
// @boundaries-ignore the real program is started by the fixture that all rooms share
import { type MongoFixture, mongoMissing, startMongo } from "../../../../test/fixtures/mongo.ts";

/** A fault sown into a copy of the store's sources: a file, what stands there, what is put in its place. */
type Fault = readonly [what: string, file: string, from: string, to: string];

const SQLITE: readonly Fault[] = [
  ["ignores rev", "sqlite-documents.ts", "if (before?.rev !== rev)", "if (!before)"],
  ["does not raise rev", "sqlite-documents.ts", "rev: rev + 1", "rev"],
  [
    "loses waiting events",
    "sqlite-documents.ts",
    "...listOf(before.pendingEvents), ...events.list",
    "...events.list",
  ],
  ["never empties pendingSince", "sqlite-documents.ts", '...(left.length === 0 && { pendingSince: "" })', ""],
  ["moves pendingSince on", "sqlite-documents.ts", 'if (before.pendingSince === "") ', ""],
  ["deletes another rev", "sqlite-documents.ts", "id = ? AND rev = ?", "id = ? AND rev <= ?"],
  ["ends after the first page", "sqlite-documents.ts", "limit + 1", "limit"],
  ["forgets unique indexes", "sqlite-documents.ts", '"UNIQUE INDEX"', '"INDEX"'],
  ["ignores case", "sqlite-query.ts", 'eq: "="', 'eq: "LIKE"'],
  ["confuses a bound", "sqlite-query.ts", 'gte: ">="', 'gte: ">"'],
  ["confuses and with or", "sqlite-query.ts", '" OR "', '" AND "'],
  ["sorts one way only", "sqlite-query.ts", '"DESC"', '"ASC"'],
  ["takes fractions", "validate.ts", "|| !Number.isSafeInteger(value)", ""],
  [
    "takes undefined for nothing",
    "validate.ts",
    "Object.entries(where)",
    "Object.entries(where).filter(([, one]) => one !== undefined)",
  ],
  [
    "pages without the id",
    "cursor.ts",
    "order.fields.map((field, position): Term",
    "order.fields.slice(0, 1).map((field, position): Term",
  ],
  ["keeps half pairs", "document.ts", "value.isWellFormed() ? value : value.toWellFormed()", "value"],
  ["keeps large documents", "document.ts", "text.length * 3 > MAX_DOCUMENT_BYTES", "text.length < 0"],
  ["checks no change", "document.ts", "check(partial, set);", ""],
];
const MONGO: readonly Fault[] = [
  ["ignores rev", "mongo-documents.ts", "{ _id: id, rev, ...state }", "{ _id: id, ...state }"],
  ["shows its nonces", "mongo-documents.ts", "{ [WRITERS]: 0 }", "{ nothing: 0 }"],
  ["moves pendingSince on", "mongo-documents.ts", '{ $ne: "" } }, update)', '{ $ne: "" } }, since)'],
  ["empties pendingSince too early", "mongo-documents.ts", "pendingEvents: { $size: 0 }, ", ""],
  ["forgets unique indexes", "mongo-documents.ts", "...(index.unique && { unique: true })", ""],
  ["grows without bound", "mongo-documents.ts", "await checkSize(id, rev, checked);", ""],
];

const STORE = fileURLToPath(new URL("../../src/store/", import.meta.url));
const RUNTIME = fileURLToPath(new URL("../../", import.meta.url));
const missing = await mongoMissing();

describe("the conformance suite, on adapters with a seeded fault", () => {
  let folder: string;
  let mongo: MongoFixture | undefined;
  before(async () => {
    folder = mkdtempSync(join(tmpdir(), "elara-faults-"));
    symlinkSync(join(RUNTIME, "../../node_modules"), join(folder, "node_modules"));
    if (missing === undefined) mongo = await startMongo();
  });
  after(async () => {
    await mongo?.close();
    rmSync(folder, { recursive: true });
  });

  /** A copy of the store's sources with one fault. */
  function sow(adapter: string, [what, file, from, to]: Fault): { what: string; copy: string } {
    const copy = join(folder, adapter, what.replaceAll(" ", "-"), "src", "store");
    mkdirSync(copy, { recursive: true });
    cpSync(STORE, copy, { recursive: true });
    if (file !== "") {
      const sound = readFileSync(join(copy, file), "utf8");
      assert.equal(sound.split(from).length, 2, `${file} holds this once: ${from}`);
      writeFileSync(
        join(copy, file),
        sound.replace(from, () => to),
      );
    }
    return { what, copy };
  }

  /** Runs the suite on every copy; tells for each whether it passed. */
  async function passed(
    adapter: "sqlite" | "mongo",
    faults: readonly Fault[],
  ): Promise<Record<string, boolean>> {
    const copies = faults.map((fault) => sow(adapter, fault));
    const suites = copies.map(({ what, copy }) => {
      const module = JSON.stringify(join(copy, `${adapter}.ts`));
      const options =
        adapter === "sqlite"
          ? '{ file: ":memory:", log }'
          : `{ uri: ${JSON.stringify(mongo?.uri)}, database: ${JSON.stringify(mongo?.database)}, log }`;
      return `storeConformance(${JSON.stringify(what)}, async () => {
        const { ${adapter}Store: open } = await import(${module});
        const store = await open(${options});
        return { stores: [store], close: () => store.close() };
      }, { seed: 1, queries: 20 });`;
    });
    const program = join(folder, `${adapter}.test.ts`);
    writeFileSync(
      program,
      [
        `import { pino } from "pino";`,
        `import { storeConformance } from ${JSON.stringify(join(STORE, "conformance.ts"))};`,
        `const log = pino({ level: "silent" });`,
        ...suites,
      ].join("\n"),
    );
    const { NODE_TEST_CONTEXT: _, ...env } = process.env;
    const output = await new Promise<string>((resolve) => {
      execFile(
        process.execPath,
        ["--test-reporter=tap", program],
        { env, maxBuffer: 2 ** 28 },
        (_error, stdout, stderr) => resolve(stdout + stderr),
      );
    });
    const results = [...output.matchAll(/^(not ok|ok) \d+ - store conformance: (.+)$/gm)];
    assert.equal(results.length, faults.length, output.slice(-2000));
    const sound = output.split("# Subtest: store conformance: ")[1] ?? "";
    assert.doesNotMatch(sound, /^ *not ok/m, sound.match(/^ *not ok.*\n(?:.*\n){0,20}/m)?.[0]);
    return Object.fromEntries(results.map(([, outcome, what]) => [what ?? "", outcome === "ok"]));
  }

  const sound: Fault = ["sound", "", "", ""];
  const expected = (faults: readonly Fault[]) => ({
    sound: true,
    ...Object.fromEntries(faults.map(([what]) => [what, false])),
  });

  it("fails on every fault of sqlite, and passes on the copy without one", async () => {
    assert.deepEqual(await passed("sqlite", [sound, ...SQLITE]), expected(SQLITE));
  });

  it("fails on every fault of mongo on the wire", {
    ...(missing !== undefined && { skip: missing }),
  }, async () => {
    assert.deepEqual(await passed("mongo", [sound, ...MONGO]), expected(MONGO));
  });
});
