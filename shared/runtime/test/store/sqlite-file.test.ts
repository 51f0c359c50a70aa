import { strict as assert } from "node:assert";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { DatabaseSync } from "node:sqlite";
import { after, before, describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import { probe, probeCollection } from "../../src/store/conformance/probe.ts";
import { sqliteStore } from "../../src/store/sqlite.ts";
import { condition, orderBy } from "../../src/store/sqlite-query.ts";
import type { Filter } from "../../src/store/store.ts";
import { checkFilter, checkOrder } from "../../src/store/validate.ts";
import { silentLog } from "../fixtures/log.ts";

const WRITER = fileURLToPath(new URL("./sqlite-writer.ts", import.meta.url));

describe("sqlite, the file", () => {
  let folder: string;
  let files = 0;
  const newFile = () => join(folder, `${files++}.db`);
  const open = (file: string) => sqliteStore({ file, log: silentLog });
  before(() => {
    folder = mkdtempSync(join(tmpdir(), "elara-sqlite-"));
  });
  after(() => rmSync(folder, { recursive: true }));

  /** Starts the writer; resolves when it has told of `count` writes, with the ids told until it was dead. */
  async function killedWriter(file: string, name: string, from: number, count: number): Promise<string[]> {
    const child = spawn(process.execPath, [WRITER, file, name, String(from)], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    const told: string[] = [];
    const lines = createInterface({ input: child.stdout });
    lines.on("line", (line) => {
      told.push(line);
      if (told.length === count) child.kill("SIGKILL");
    });
    await Promise.all([once(child, "exit"), once(lines, "close")]);
    assert.equal(child.signalCode, "SIGKILL");
    return told;
  }

  it("keeps everything over a restart", async () => {
    const file = newFile();
    const declaration = probeCollection();
    const first = await open(file);
    const doc = await first.collection(declaration).insert(probe({ name: "ada" }));
    await first.close();
    const second = await open(file);
    assert.deepEqual(await second.collection(declaration).get(doc._id), doc);
    await second.close();
  });

  it("commits what is under way when it is closed, and answers nothing afterwards", async () => {
    const file = newFile();
    const declaration = probeCollection();
    const first = await open(file);
    const probes = first.collection(declaration);
    const writing = probes.insert(probe({ _id: "last" }));
    await first.close();
    await writing;
    await assert.rejects(probes.get("last"), { code: "STORE_AWAY" });
    await assert.rejects(probes.insert(probe()), { code: "STORE_AWAY" });
    const second = await open(file);
    assert.equal((await second.collection(declaration).get("last"))?._id, "last");
    await second.close();
  });

  it("loses no answered write to kill -9, and is free again at once", async () => {
    const file = newFile();
    const { name } = probeCollection();
    const told: string[] = [];
    for (const count of [1, 57, 203])
      told.push(...(await killedWriter(file, name, told.length * 1000, count)));
    const store = await open(file);
    const probes = store.collection({ ...probeCollection(), name });
    assert.ok(told.length >= 261);
    for (const id of told) assert.equal((await probes.get(id))?.rev, 2, id);
    await store.close();
  });

  it("is refused to a second store, in the same process and in another", async () => {
    const file = newFile();
    const store = await open(file);
    await assert.rejects(open(file), { code: "STORE_LOCKED" });
    const child = spawn(process.execPath, [WRITER, file, "probe"], { stdio: ["ignore", "ignore", "pipe"] });
    let said = "";
    child.stderr.on("data", (text) => {
      said += text;
    });
    const [code] = await once(child, "exit");
    assert.equal(code, 1);
    assert.match(said, /STORE_LOCKED/);
    await store.collection(probeCollection()).insert(probe());
    await store.close();
    await (await open(file)).close();
  });

  it("cannot be read by others, nor can its side files", async () => {
    const file = newFile();
    const store = await open(file);
    await store.collection(probeCollection()).insert(probe());
    for (const path of [file, `${file}-wal`]) assert.equal(statSync(path).mode & 0o777, 0o600, path);
    await store.close();
  });

  it("is refused when it is no database or cannot be made", async () => {
    const file = newFile();
    writeFileSync(file, "not a database, however long it may be made for the header".repeat(100));
    await assert.rejects(open(file), { code: "STORE_FILE_INVALID" });
    await assert.rejects(open(join(folder, "no", "such", "folder.db")), { code: "STORE_FILE_INVALID" });
    await assert.rejects(open(folder), { code: "STORE_FILE_INVALID" });
  });

  it("answers queries and orders by a declared index from the index", async () => {
    const file = newFile();
    const declaration = probeCollection();
    const store = await open(file);
    store.collection(declaration);
    await store.close();
    const db = new DatabaseSync(file, { readOnly: true });
    const plan = (where: Filter, by?: string[]): string => {
      const term = checkFilter(declaration, where);
      const order = orderBy(checkOrder(declaration, by && { by, desc: true }), term);
      const { text, values } = condition(term);
      const rows = db.prepare(
        `EXPLAIN QUERY PLAN SELECT id, rev, doc FROM "${declaration.name}" WHERE ${text} ${order}`,
      );
      return rows
        .all(...values)
        .map((row) => String(row.detail))
        .join("; ");
    };
    const found = [
      plan({ _id: "x" }),
      plan({ _id: { in: ["x", "y"] } }),
      plan({ name: "x" }),
      plan({ name: { in: ["x", "y"] } }),
      plan({ or: [{ name: "x" }, { "owner.id": "y" }] }),
    ];
    const sorted = [
      plan({ group: "x", size: { gt: 1 } }, ["group", "size", "_id"]),
      plan({ flag: true }, ["flag", "_id"]),
      plan({ pendingSince: { gt: "" } }, ["pendingSince", "_id"]),
    ];
    for (const text of [...found, ...sorted]) assert.match(text, /SEARCH probe/, text);
    for (const text of [...found, ...sorted]) assert.doesNotMatch(text, /SCAN probe/, text);
    for (const text of sorted) assert.doesNotMatch(text, /TEMP B-TREE/, text);
    assert.match(plan({}, ["at", "_id"]), /USING INDEX/);
    db.close();
  });
});
