import type { DatabaseSync } from "node:sqlite";

/** Work of one turn of the event loop shares a transaction; nobody is answered before it is on the disk. */
export interface Turn {
  /** Runs at once inside the turn's transaction; resolves or rejects after the commit. */
  write<T>(work: () => T): Promise<T>;
  /** Runs at once; waits for the commit only when this turn wrote, since it may have seen what is not yet kept. */
  read<T>(work: () => T): Promise<T>;
  /** Commits what waits. */
  flush(): void;
}

interface Waiting {
  readonly done: () => void;
  readonly fail: (error: unknown) => void;
}

/** One commit per turn. `failed` translates an error of SQLite. */
export function commitPerTurn(db: DatabaseSync, failed: (error: unknown) => Error): Turn {
  let group: Waiting[] | undefined;

  const commit = (): void => {
    const waiting = group;
    group = undefined;
    if (!waiting) return;
    try {
      db.exec("COMMIT");
    } catch (error) {
      if (db.isTransaction) db.exec("ROLLBACK");
      for (const one of waiting) one.fail(failed(error));
      return;
    }
    for (const one of waiting) one.done();
  };
  const begin = (): Waiting[] => {
    if (group) return group;
    db.exec("BEGIN IMMEDIATE");
    group = [];
    setImmediate(commit);
    return group;
  };
  /** SQLite ends the transaction by itself when the disk is full or fails: then nothing of this turn was kept. */
  const abandon = (error: unknown): void => {
    const waiting = group ?? [];
    group = undefined;
    for (const one of waiting) one.fail(failed(error));
  };
  const run = <T>(work: () => T, joined: () => Waiting[] | undefined): Promise<T> =>
    new Promise<T>((resolve, reject) => {
      try {
        const waiting = joined();
        const answer = attempt(work);
        if (group && !db.isTransaction) abandon("error" in answer ? answer.error : undefined);
        const done = () => ("error" in answer ? reject(failed(answer.error)) : resolve(answer.value));
        if (waiting && waiting === group) waiting.push({ done, fail: reject });
        else done();
      } catch (error) {
        reject(failed(error));
      }
    });

  return {
    write: (work) => run(work, begin),
    read: (work) => run(work, () => group),
    flush: commit,
  };
}

type Answer<T> = { readonly value: T } | { readonly error: unknown };

function attempt<T>(work: () => T): Answer<T> {
  try {
    return { value: work() };
  } catch (error) {
    return { error };
  }
}
