import { chmodSync, closeSync, existsSync, openSync } from "node:fs";
import { DatabaseSync, type StatementSync } from "node:sqlite";
import { HubError } from "@elara/contracts";
import { type Clock, systemClock } from "../clock.ts";
import { subjectMatcher } from "./subject.ts";
import { FACTS_KEPT_BYTES, FACTS_KEPT_MS, type FactLog, type KeptFact } from "./wire.ts";

/** After so many facts, and after so long, it is looked what may go. */
const TIDY_EVERY = 500;
const TIDY_MS = 3_600_000;
const TIDY_ROWS = 100;
const BATCH = 100;

/** A log of facts that can be written; in a file, or in memory. */
export interface FactStore extends FactLog {
  /** Resolves when it is stored, for good in a file. A fact that is kept already is not kept twice. Throws EVENTS_NOT_KEPT. */
  append(subject: string, bytes: Uint8Array, id: string): Promise<void>;
  /** Ends every reader. Afterwards everything throws EVENTS_NOT_KEPT. */
  close(): void;
}

export interface FactStoreOptions {
  /** Readable by its account alone, also when it was not before. Absent: in memory. */
  readonly file?: string;
  readonly clock?: Clock;
  readonly keptMs?: number;
  readonly keptBytes?: number;
  readonly tidyMs?: number;
}

interface Waiting {
  readonly subject: string;
  readonly bytes: Uint8Array;
  readonly id: string;
  readonly stored: () => void;
  readonly failed: (error: unknown) => void;
}

/**
 * Opens it. Facts of one turn share a commit that is done before any of them counts as stored. Throws EVENTS_NOT_KEPT.
 */
export function sqliteFacts({
  file = ":memory:",
  clock = systemClock,
  keptMs = FACTS_KEPT_MS,
  keptBytes = FACTS_KEPT_BYTES,
  tidyMs = TIDY_MS,
}: FactStoreOptions = {}): FactStore {
  let waiting: Waiting[] = [];
  let sinceTidy = 0;
  const readers = new Set<() => void>();
  const wake = (): void => {
    for (const reader of readers) reader();
  };
  let isOpen = true;
  const log = kept(() => open(file, clock.now()));

  /** What SQLite throws is told as the code everybody knows. */
  function kept<T>(work: () => T): T {
    try {
      if (!isOpen) throw new Error("closed");
      return work();
    } catch (cause) {
      throw new HubError("EVENTS_NOT_KEPT", { cause });
    }
  }

  const tidy = (): void => {
    sinceTidy = 0;
    log.database.prepare("DELETE FROM facts WHERE at < ?").run(clock.now() - keptMs);
    while (log.pages() > keptBytes && Number(log.drop.run(TIDY_ROWS).changes) > 0);
  };
  const flush = (): void => {
    const batch = waiting;
    waiting = [];
    if (batch.length === 0) return;
    try {
      kept(() => {
        log.database.exec("BEGIN IMMEDIATE");
        try {
          for (const { id, subject, bytes } of batch) log.insert.run(id, clock.now(), subject, bytes);
          sinceTidy += batch.length;
          if (sinceTidy >= TIDY_EVERY) tidy();
          log.database.exec("COMMIT");
        } catch (error) {
          if (log.database.isTransaction) log.database.exec("ROLLBACK");
          throw error;
        }
      });
    } catch (error) {
      for (const { failed } of batch) failed(error);
      return;
    }
    for (const { stored } of batch) stored();
    wake();
  };
  kept(tidy);
  const tidying = setInterval(() => {
    try {
      tidy();
    } catch {
      // Another process writes, or the disk is full: there is a next time, and whoever appends is told.
    }
  }, tidyMs);
  tidying.unref();

  return {
    append(subject, bytes, id) {
      const { promise, resolve, reject } = Promise.withResolvers<void>();
      if (waiting.length === 0) setImmediate(flush);
      waiting.push({ subject, bytes: bytes.slice(), id, stored: resolve, failed: reject });
      return promise;
    },
    async span() {
      const { first, last } = kept(() => log.span.get()) ?? {};
      const end = Number(last ?? 0);
      return { first: first === null ? end + 1 : Number(first), last: end };
    },
    async *read({ after, patterns, signal }) {
      const isWanted = subjectMatcher(patterns);
      let position = after;
      while (isOpen && !signal.aborted) {
        const rows = factsOf(kept(() => log.after.all(position, BATCH)));
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
      if (!isOpen) return;
      clearInterval(tidying);
      flush();
      isOpen = false;
      wake();
      log.database.close();
    },
  };

  async function news(signal: AbortSignal): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const stop = (): void => resolve();
    readers.add(stop);
    signal.addEventListener("abort", stop);
    try {
      await promise;
    } finally {
      readers.delete(stop);
      signal.removeEventListener("abort", stop);
    }
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

/** SQLite gives its side files the mode of the main file. One that is there is not opened: that would end locks on it. */
function makePrivate(file: string): void {
  if (!existsSync(file)) closeSync(openSync(file, "wx", 0o600));
  for (const each of [file, `${file}-wal`, `${file}-shm`]) if (existsSync(each)) chmodSync(each, 0o600);
}

function open(file: string, now: number): Opened {
  if (file !== ":memory:") makePrivate(file);
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
    -- Positions of a log before this one are behind its first: nobody goes on in the wrong log.
    INSERT INTO sqlite_sequence (name, seq)
      SELECT 'facts', ${now - 1} WHERE NOT EXISTS (SELECT 1 FROM sqlite_sequence WHERE name = 'facts');
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
