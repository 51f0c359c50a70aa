import type { Observation } from "@elara/sdk";
import { absences } from "./absence.ts";
import type { Backend } from "./backends.ts";
import { bell } from "./bell.ts";
import { bounded } from "./bounded.ts";
import { isAway } from "./causes.ts";
import { hasHandle, type ServerDoc } from "./ledger.ts";
import type { SpawnParts } from "./parts.ts";
import { markUnknown, reasonOf, rowApplier } from "./rows.ts";
import { type Look, stopSecondFind } from "./second-find.ts";

/** Looks at one backend for all servers, while this instance holds its lease. */
export interface Observer {
  /** Something moves there: look now, or right after the look under way. */
  lookSoon(): void;
  close(): Promise<void>;
}

/** Phases in which a stored handle is watched; a failed server is while something of it is left. */
const WATCHED = {
  or: [
    { phase: { in: ["queued", "starting", "ready", "stopping", "unknown"] } },
    { phase: "failed", inMotion: true },
  ],
};

interface ObserverOptions {
  readonly backend: Backend;
  /** Whether this instance is the one that observes. */
  readonly held: () => boolean;
}

/** Starts observing. */
export function startObserver(parts: SpawnParts, { backend, held }: ObserverOptions): Observer {
  const { ledger, log, clock, row, pace } = parts;
  const door = bell();
  const end = new AbortController();
  const look: Look = { parts, backend, call: (work) => bounded(pace.observeTimeoutMs, work, end.signal) };
  const absent = absences(look);
  const rows = rowApplier(parts, backend);
  let isSilent = false;
  let isRung = false;

  const watched = async (): Promise<ServerDoc[]> => {
    const docs: ServerDoc[] = [];
    const where = { backend: backend.name, ...WATCHED };
    for await (const doc of ledger.all({ where, sort: { by: ["backend", "_id"] } })) {
      if (hasHandle(doc) && (doc.phase !== "failed" || doc.deadlineAt !== "")) docs.push(doc);
    }
    return docs;
  };

  /** One server's trouble does not hold back the others; the store's is everybody's. */
  const each = async (docs: readonly ServerDoc[], work: (doc: ServerDoc) => Promise<void>): Promise<void> => {
    for (const doc of docs) {
      if (end.signal.aborted || !held() || row.fenced()) return;
      await work(doc).catch((error: unknown) => {
        if (isAway(error)) throw error;
        log.error({ serverId: doc._id, backend: backend.name, err: error }, "row not applied");
      });
    }
  };

  const hear = (answers: boolean, error?: unknown): void => {
    if (answers && isSilent) log.info({ backend: backend.name }, "backend answers again");
    if (!answers && !isSilent)
      log.warn({ backend: backend.name, code: "SPAWN_BACKEND_AWAY", err: error }, "backend does not answer");
    isSilent = !answers;
  };

  const observe = async (): Promise<void> => {
    const docs = await watched();
    const ids = new Set(docs.map((doc) => doc._id));
    absent.keep(ids);
    rows.keep(ids);
    if (docs.length === 0) return;
    let seen: Observation;
    try {
      const handles = docs.map((doc) => doc.handle);
      seen = await look.call((signal) => backend.spawner.observe(handles, { signal }));
    } catch (error) {
      if (end.signal.aborted) return;
      hear(false, error);
      absent.forget();
      return each(docs, (doc) => markUnknown(parts, doc, reasonOf(error)));
    }
    hear(true);
    const byTag = new Map(seen.rows.map((found) => [found.tag, found]));
    await each(docs, async (doc) => {
      const found = byTag.get(doc.tag);
      if (found) {
        absent.forget(doc._id);
        await rows.apply(doc, found);
      } else await absent.missed(doc, seen);
      await stopSecondFind(look, doc);
    });
  };

  /** Milliseconds between looks. Whether anything moves is a question to the ledger: others drive too. */
  const restMs = async (): Promise<number> => {
    const moves = { backend: backend.name, or: [{ inMotion: true }, { phase: "unknown" }] };
    const isMoving = absent.size > 0 || (await ledger.count(moves)) > 0;
    return isMoving ? backend.observeMs.moving : backend.observeMs.resting;
  };

  const run = async (): Promise<void> => {
    let lastAt = Number.NEGATIVE_INFINITY;
    while (!end.signal.aborted) {
      const rung = isRung;
      isRung = false;
      try {
        if (held() && !row.fenced() && (rung || clock.monotonic() - lastAt >= (await restMs()))) {
          lastAt = clock.monotonic();
          await observe();
        }
      } catch (error) {
        if (!isAway(error)) log.error({ backend: backend.name, err: error }, "backend not observed");
      }
      if (!isRung) await door.wait(Math.min(pace.lookMs, backend.observeMs.moving));
    }
  };
  const done = run();

  return {
    lookSoon() {
      isRung = true;
      door.ring();
    },
    async close() {
      end.abort();
      door.ring();
      await done;
    },
  };
}
