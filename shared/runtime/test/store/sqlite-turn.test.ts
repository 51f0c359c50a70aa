import { strict as assert } from "node:assert";
import { DatabaseSync } from "node:sqlite";
import { afterEach, beforeEach, describe, it } from "node:test";
import { commitPerTurn, type Turn } from "../../src/store/sqlite-turn.ts";

describe("sqlite, one commit for a turn", () => {
  let db: DatabaseSync;
  let turn: Turn;
  beforeEach(() => {
    db = new DatabaseSync(":memory:");
    db.exec("CREATE TABLE parent (id INTEGER PRIMARY KEY); CREATE TABLE word (text TEXT UNIQUE)");
    // Checked at the commit: the way to make a commit fail.
    db.exec("CREATE TABLE child (parent INTEGER REFERENCES parent (id) DEFERRABLE INITIALLY DEFERRED)");
    turn = commitPerTurn(db, (error) => new Error("translated", { cause: error }));
  });
  afterEach(() => db.close());
  const run = (sql: string) => () => db.exec(sql);
  const words = () => Number(db.prepare("SELECT count(*) AS n FROM word").get()?.n);

  it("answers nobody before the commit, neither writers nor those who read what was written", async () => {
    const answered: boolean[] = [];
    const note = (): void => {
      answered.push(db.isTransaction);
    };
    const all: Promise<void>[] = [
      turn.write(run("INSERT INTO word VALUES ('a')")).then(note),
      turn.read(words).then(note),
    ];
    all.push(turn.write(run("INSERT INTO word VALUES ('a')")).catch(note));
    await Promise.resolve();
    assert.deepEqual([answered, db.isTransaction], [[], true]);
    await Promise.all(all);
    assert.deepEqual(answered, [false, false, false]);
  });

  it("does not keep readers waiting when nothing was written", async () => {
    assert.equal(await turn.read(words), 0);
    assert.equal(db.isTransaction, false);
  });

  it("keeps a turn's other writes when one of them is refused", async () => {
    const kept = turn.write(run("INSERT INTO word VALUES ('a')"));
    const refused = turn.write(run("INSERT INTO word VALUES ('a')"));
    const alsoKept = turn.write(run("INSERT INTO word VALUES ('b')"));
    await assert.rejects(refused, /translated/);
    await Promise.all([kept, alsoKept]);
    assert.equal(words(), 2);
  });

  it("tells everybody of the turn when the commit fails, and goes on", async () => {
    const all = [
      turn.write(run("INSERT INTO word VALUES ('a')")),
      turn.write(run("INSERT INTO child VALUES (7)")),
      turn.read(words),
    ];
    for (const result of await Promise.allSettled(all)) assert.equal(result.status, "rejected");
    assert.equal(words(), 0);
    await turn.write(run("INSERT INTO word VALUES ('a')"));
    assert.equal(words(), 1);
  });

  it("tells everybody of the turn when the disk is full, and goes on", async () => {
    const pages = Number(db.prepare("PRAGMA page_count").get()?.page_count);
    db.exec(`PRAGMA max_page_count = ${pages}`);
    const kept = turn.write(run("INSERT INTO word VALUES ('a')"));
    const full = turn.write(run("INSERT INTO word VALUES (hex(zeroblob(100000)))"));
    await assert.rejects(full, /translated/);
    const outcome = await kept.then(
      () => 1,
      () => 0,
    );
    // Whichever SQLite decides, answer and content agree.
    assert.equal(words(), outcome);
    db.exec("PRAGMA max_page_count = 100000");
    await turn.write(run("INSERT INTO word VALUES ('b')"));
    assert.equal(words(), outcome + 1);
  });
});
