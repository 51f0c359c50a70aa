import { DatabaseSync, type StatementSync } from "node:sqlite";
import { HubError } from "@elara/contracts";
import { type Clock, systemClock } from "../clock.ts";
import { subjectMatcher } from "./subject.ts";
import type { FactLog, KeptFact } from "./wire.ts";

/** How long and how much is kept; the same as of the stream on NATS. */
export const FACTS_KEPT_MS = 14 * 86_400_000;
export const FACTS_KEPT_BYTES = 512 * 1024 * 1024;
/** After so many facts it is looked what may go. */
const TIDY_EVERY = 500;
const TIDY_ROWS = 100;
const BATCH = 100;

/** A log of facts that can be written; in a file, or in memory. */
export interface FactStore extends FactLog {
  /** Resolves when it is stored, for good in a file. A fact that is kept already is not kept twice. Throws EVENTS_NOT_KEPT. */
  append(subject: string, bytes: Uint8Array, id: string): Promise<void>;
  close(): void;
}

export interface FactStoreOptions {
  /** Absent: in memory. */
  readonly file?: string;
  readonly clock?: Clock;
  readonly keptMs?: number;
  readonly keptBytes?: number;
}

interface Waiting {
  readonly subject: string;
  readonly bytes: Uint8Array;
  readonly id: string;
  readonly stored: () => void;
  readonly failed: (error: unknown) => void;
}

/** Opens it, at the first use. Facts of one turn share a commit that is done before any of them counts as stored. */
export function sqliteFacts({
  file = ":memory:",
  clock = systemClock,
  keptMs = FACTS_KEPT_MS,
  keptBytes = FACTS_KEPT_BYTES,
}: FactStoreOptions = {}): FactStore {
  let db: Opened | undefined;
  let waiting: Waiting[] = [];
  let sinceTidy = 0;
  const readers = new Set<() => void>();
  const wake = (): void => {
    for (const reader of readers) reader();
  };
  const opened = (): Opened => {
    db ??= open(file);
    return db;
  };

  const tidy = ({ database, drop, pages }: Opened): void => {
    sinceTidy = 0;
    const over = clock.now() - keptMs;
    database.prepare("DELETE FROM facts WHERE at < ?").run(over);
    while (pages() > keptBytes && Number(drop.run(TIDY_ROWS).changes) > 0);
  };
  const flush = (): void => {
    const batch = waiting;
    waiting = [];
    if (batch.length === 0) return;
    try {
      const log = opened();
      log.database.exec("BEGIN IMMEDIATE");
      try {
        for (const { id, subject, bytes } of batch) log.insert.run(id, clock.now(), subject, bytes);
        sinceTidy += batch.length;
        if (sinceTidy >= TIDY_EVERY) tidy(log);
        log.database.exec("COMMIT");
      } catch (error) {
        log.database.exec("ROLLBACK");
        throw error;
      }
    } catch (cause) {
      for (const { failed } of batch) failed(new HubError("EVENTS_NOT_KEPT", { cause }));
      return;
    }
    for (const { stored } of batch) stored();
    wake();
  };

  return {
    append(subject, bytes, id) {
      const { promise, resolve, reject } = Promise.withResolvers<void>();
      if (waiting.length === 0) setImmediate(flush);
      waiting.push({ subject, bytes: bytes.slice(), id, stored: resolve, failed: reject });
      return promise;
    },
    async span() {
      const { first, last } = opened().span.get() ?? {};
      const end = Number(last ?? 0);
      return { first: first === null ? end + 1 : Number(first), last: end };
    },
    async *read({ after, patterns, signal }) {
      const isWanted = subjectMatcher(patterns);
      let position = after;
      while (!signal.aborted) {
        const rows = factsOf(opened().after.all(position, BATCH));
        for (const fact of rows) {
          position = fact.sequence;
          if (isWanted(fact.subject)) yield fact;
          if (signal.aborted) return;
        }
        // A long way back must not hold up everybody else.
        if (rows.length > 0) await new Promise(setImmediate);
        else await news(signal);
      }
    },
    close() {
      flush();
      wake();
      db?.database.close();
      db = undefined;
    },
  };

  function news(signal: AbortSignal): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    readers.add(resolve);
    signal.addEventListener("abort", () => resolve(), { once: true });
    return promise.finally(() => readers.delete(resolve));
  }
}

interface Opened {
  readonly database: DatabaseSync;
  readonly insert: StatementSync;
  readonly after: StatementSync;
  readonly drop: StatementSync;
  readonly span: StatementSync;
  /** Bytes in use. */
  pages(): number;
}

function open(file: string): Opened {
  const database = new DatabaseSync(file);
  database.exec(`
    PRAGMA journal_mode = WAL;
    PRAGMA synchronous = FULL;
    CREATE TABLE IF NOT EXISTS facts (
      position INTEGER PRIMARY KEY AUTOINCREMENT,
      id TEXT NOT NULL UNIQUE,
      at INTEGER NOT NULL,
      subject TEXT NOT NULL,
      bytes BLOB NOT NULL
    );
    CREATE INDEX IF NOT EXISTS facts_at ON facts (at);
  `);
  const number = (pragma: string): number =>
    Number(Object.values(database.prepare(`PRAGMA ${pragma}`).get() ?? {})[0] ?? 0);
  const pageSize = number("page_size");
  return {
    database,
    // Not `OR IGNORE`: that would leave a hole in the positions.
    insert: database.prepare(
      "INSERT INTO facts (id, at, subject, bytes) SELECT ?1, ?2, ?3, ?4 WHERE NOT EXISTS (SELECT 1 FROM facts WHERE id = ?1)",
    ),
    after: database.prepare(
      "SELECT position, subject, bytes FROM facts WHERE position > ? ORDER BY position LIMIT ?",
    ),
    drop: database.prepare(
      "DELETE FROM facts WHERE position IN (SELECT position FROM facts ORDER BY position LIMIT ?)",
    ),
    // The last position that was given out, also when nothing is left of it.
    span: database.prepare(
      "SELECT (SELECT min(position) FROM facts) AS first, (SELECT seq FROM sqlite_sequence WHERE name = 'facts') AS last",
    ),
    pages: () => (number("page_count") - number("freelist_count")) * pageSize,
  };
}

const factsOf = (rows: readonly Record<string, unknown>[]): KeptFact[] =>
  rows.map(({ position, subject, bytes }) => ({
    sequence: Number(position),
    subject: String(subject),
    bytes: bytes instanceof Uint8Array ? bytes : new Uint8Array(),
  }));
