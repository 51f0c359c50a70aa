import { open } from "node:fs/promises";
import { DatabaseSync } from "node:sqlite";
import { type Collection, codeOf, HubError } from "@elara/contracts";
import type { Logger } from "pino";
import { checkDeclaration } from "./declaration.ts";
import { sqliteDocuments } from "./sqlite-documents.ts";
import { commitPerTurn, type Turn } from "./sqlite-turn.ts";
import type { Documents, Store } from "./store.ts";

export interface SqliteOptions {
  /** Path of the database, made 0600 when it does not exist; `:memory:` for tests. */
  readonly file: string;
  readonly log: Logger;
}

const BUSY = 5;
const CONSTRAINT = 19;

/** The embedded store: one file, one process. Throws STORE_LOCKED when another process holds the file. */
export async function sqliteStore({ file, log }: SqliteOptions): Promise<Store> {
  if (file !== ":memory:") await createPrivate(file);
  const db = openLocked(file);
  let isOpen = true;
  const turn = commitPerTurn(db, (error) => {
    const translated = translate(error);
    if (translated.code === "STORE_AWAY") log.error({ err: error }, "sqlite failed");
    return translated;
  });
  const whileOpen: Turn = {
    write: (work) => (isOpen ? turn.write(work) : Promise.reject(new HubError("STORE_AWAY"))),
    read: (work) => (isOpen ? turn.read(work) : Promise.reject(new HubError("STORE_AWAY"))),
    flush: turn.flush,
  };
  const declared = new Map<string, Collection>();

  return {
    collection<C extends Collection>(declaration: C): Documents<C> {
      if ((declared.get(declaration.name) ?? declaration) !== declaration)
        throw new TypeError(`collection "${declaration.name}" is declared twice`);
      checkDeclaration(declaration);
      declared.set(declaration.name, declaration);
      return sqliteDocuments(db, whileOpen, declaration);
    },
    ping: () => whileOpen.read(() => void db.prepare("SELECT 1").get()),
    async close() {
      if (!isOpen) return;
      turn.flush();
      isOpen = false;
      db.close();
    },
  };
}

/**
 * SQLite gives its side files the mode of the main file. A file that is there is not opened: closing it again would
 * take away the locks that another store of this process holds on it, as POSIX has it.
 */
async function createPrivate(file: string): Promise<void> {
  try {
    await (await open(file, "wx", 0o600)).close();
  } catch (cause) {
    if (codeOf(cause) === "EEXIST") return;
    throw new HubError("STORE_FILE_INVALID", { cause, detail: file });
  }
}

function openLocked(file: string): DatabaseSync {
  let db: DatabaseSync | undefined;
  try {
    db = new DatabaseSync(file, { timeout: 0 });
    // The lock comes first: with it the write-ahead log needs no shared memory file.
    db.exec("PRAGMA locking_mode = EXCLUSIVE");
    db.exec("PRAGMA journal_mode = WAL");
    db.exec("PRAGMA synchronous = FULL");
    db.exec("BEGIN IMMEDIATE; COMMIT");
    return db;
  } catch (cause) {
    db?.close();
    if (errcode(cause) === BUSY) throw new HubError("STORE_LOCKED", { cause, detail: file });
    throw new HubError("STORE_FILE_INVALID", { cause, detail: file });
  }
}

/** SQLite's primary result code; 0 for any other error. */
function errcode(error: unknown): number {
  const code =
    codeOf(error) === "ERR_SQLITE_ERROR" && error instanceof Error && "errcode" in error ? error.errcode : 0;
  return typeof code === "number" ? code & 0xff : 0;
}

function translate(error: unknown): HubError {
  if (error instanceof HubError) return error;
  if (errcode(error) === CONSTRAINT) return new HubError("STORE_CONFLICT", { cause: error });
  return new HubError("STORE_AWAY", {
    cause: error,
    operator: "SQLite could not read or write its file: is the disk full, or the data directory gone?",
  });
}
