import type { DatabaseSync, SQLOutputValue, StatementSync } from "node:sqlite";
import { type Collection, type Doc, HubError } from "@elara/contracts";
import { behind, cursorOf } from "./cursor.ts";
import { fieldOf } from "./declaration.ts";
import { documentCheck, type Json } from "./document.ts";
import { condition, expression, orderBy } from "./sqlite-query.ts";
import type { Turn } from "./sqlite-turn.ts";
import type { Documents } from "./store.ts";
import { checkFilter, checkLimit, checkOrder, isPlainObject, type Term } from "./validate.ts";

/** Statements by their text; shapes of queries come from code, so there are few. */
const MAX_STATEMENTS = 200;

/** One collection as a table `(id, rev, doc)`; `doc` holds all but the two. Makes table and indexes. */
export function sqliteDocuments<C extends Collection>(
  db: DatabaseSync,
  turn: Turn,
  declaration: C,
): Documents<C> {
  turn.flush();
  createTable(db, declaration);
  const table = `"${declaration.name}"`;
  const check = documentCheck(declaration);
  const statements = new Map<string, StatementSync>();
  const prepared = (text: string): StatementSync => {
    let statement = statements.get(text);
    if (!statement) {
      if (statements.size >= MAX_STATEMENTS) statements.clear();
      statement = db.prepare(text);
      statements.set(text, statement);
    }
    return statement;
  };
  const load = (id: string): Json | undefined => {
    const row = prepared(`SELECT id, rev, doc FROM ${table} WHERE id = ?`).get(id);
    return row && documentOf(row);
  };
  const save = (id: string, doc: Json): void => {
    const { _id, rev, ...rest } = doc;
    check.size(doc);
    prepared(`UPDATE ${table} SET rev = ?, doc = ? WHERE id = ?`).run(Number(rev), JSON.stringify(rest), id);
  };
  const rows = (where: Term, tail: string, limit: number): Json[] => {
    const filter = condition(where);
    const text = `SELECT id, rev, doc FROM ${table} WHERE ${filter.text} ${tail} LIMIT ?`;
    return prepared(text)
      .all(...filter.values, limit)
      .map(documentOf);
  };

  return {
    insert: async (doc) => {
      const checked = check.insert(doc);
      check.size(checked);
      const { _id, rev, ...rest } = checked;
      return turn.write(() => {
        prepared(`INSERT INTO ${table} (id, rev, doc) VALUES (?, 1, ?)`).run(_id, JSON.stringify(rest));
        return typed<C>(checked);
      });
    },
    patch: async (id, rev, change) => {
      const { set, events } = check.change(change);
      return turn.write(() => {
        const before = load(id);
        if (before?.rev !== rev) return undefined;
        const after: Json = { ...before, ...set, rev: rev + 1 };
        if (events) {
          after.pendingEvents = [...listOf(before.pendingEvents), ...events.list];
          if (before.pendingSince === "") after.pendingSince = events.at;
        }
        save(id, after);
        return typed<C>(after);
      });
    },
    settle: async (id, eventIds) => {
      check.needEvents();
      const settled = new Set<unknown>(eventIds);
      return turn.write(() => {
        const doc = load(id);
        if (!doc || (doc.pendingSince === "" && settled.size === 0)) return;
        const left = listOf(doc.pendingEvents).filter(
          (event) => !isPlainObject(event) || !settled.has(event.id),
        );
        save(id, { ...doc, pendingEvents: left, ...(left.length === 0 && { pendingSince: "" }) });
      });
    },
    delete: async (id, rev) =>
      turn.write(() => {
        const { changes } =
          rev === undefined
            ? prepared(`DELETE FROM ${table} WHERE id = ?`).run(id)
            : prepared(`DELETE FROM ${table} WHERE id = ? AND rev = ?`).run(id, rev);
        return Number(changes) > 0;
      }),
    get: async (id) =>
      turn.read(() => {
        const doc = load(id);
        return doc && typed<C>(doc);
      }),
    find: async (query = {}) => {
      const order = checkOrder(declaration, query.sort);
      const limit = checkLimit(declaration, query.limit);
      const asked = checkFilter(declaration, query.where);
      const where: Term =
        query.after === undefined
          ? asked
          : { kind: "and", terms: [asked, behind(declaration, order, query.after)] };
      return turn.read(() => {
        const found = rows(where, orderBy(order, asked), limit + 1);
        const items = found.slice(0, limit).map(typed<C>);
        const last = found.length > limit ? items.at(-1) : undefined;
        return last ? { items, next: cursorOf(order, last) } : { items };
      });
    },
    count: async (where) => {
      const filter = condition(checkFilter(declaration, where));
      return turn.read(() => {
        const row = prepared(`SELECT count(*) AS n FROM ${table} WHERE ${filter.text}`).get(...filter.values);
        return Number(row?.n);
      });
    },
  };
}

function createTable(db: DatabaseSync, declaration: Collection): void {
  const { name } = declaration;
  db.exec(
    `CREATE TABLE IF NOT EXISTS "${name}" (id TEXT NOT NULL PRIMARY KEY, rev INTEGER NOT NULL, doc TEXT NOT NULL) STRICT`,
  );
  for (const index of declaration.indexes) {
    const columns = index.fields.map((path) => {
      const field = fieldOf(declaration, path);
      if (!field) throw new TypeError(`collection "${name}": index field "${path}" is not declared`);
      return expression(field);
    });
    const kind = index.unique ? "UNIQUE INDEX" : "INDEX";
    const label = `${name}:${index.unique ? "unique:" : ""}${index.fields.join()}`;
    db.exec(`CREATE ${kind} IF NOT EXISTS "${label}" ON "${name}" (${columns.join(", ")})`);
  }
}

function documentOf(row: Record<string, SQLOutputValue>): Json {
  const doc: unknown = JSON.parse(String(row.doc));
  if (!isPlainObject(doc)) throw new HubError("STORE_AWAY", { detail: "a row holds no document" });
  return { _id: String(row.id), rev: Number(row.rev), ...doc };
}

const listOf = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : []);

/** The one place where stored JSON takes the collection's type: only checked documents are ever written. */
const typed = <C extends Collection>(doc: Json): Doc<C> => doc as Doc<C>;
