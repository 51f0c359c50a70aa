import { isAway } from "@elara/runtime/is-away";
import { observe as count } from "@elara/runtime/metrics/meter";
import type { Observation } from "@elara/sdk";
import { absences } from "./absence.ts";
import type { Backend } from "./backends.ts";
import { bell } from "./bell.ts";
import { bounded, GivenUp } from "./bounded.ts";
import type { ServerDoc } from "./decision.ts";
import type { SpawnParts } from "./parts.ts";
import { markUnknown, reasonOf, rowApplier } from "./rows.ts";
import { searches } from "./searches.ts";
import { type Look, stopSecondFind, wantsSecondFind } from "./second-find.ts";
import { storedServer } from "./stored-server.ts";
import { watched } from "./watched.ts";

/** Looks at one backend for all servers, while this instance holds its lease. */
export interface Observer {
  /** Something moves there: look now, or right after the look under way. */
  lookSoon(): void;
  close(): Promise<void>;
}

/**
 * A server that nobody can speak of, or that a look did not show, is looked for at most this often: soon enough for
 * who waits for it, and a backend that is down, or holds one strange handle, is not asked at the pace of a start.
 */
const AGAIN_MS = 2_000;
/**
 * Looks at all take at most this share of the time (one part in five), so that a slow backend is not worked to death;
 * one that does not answer is left alone for as long as it kept the look waiting. Looks that somebody waits for rest
 * shorter: what was slow may be one host or account of many.
 */
const SHARE = 5;
const AWAY_SHARE = 2;
const LONGEST_MS = 60_000;
/** Servers searched for by their tags at one time. */
const SEARCHES = 4;

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
  const bounds = { end: end.signal, fenced: () => row.fenced() || !held() };
  const servers = watched(ledger, backend.name);
  const look: Look = {
    parts,
    backend,
    watched: servers,
    call: (work) => bounded(pace.observeTimeoutMs, work, bounds),
  };
  const absent = absences(look);
  const search = searches(log, SEARCHES);
  const rows = rowApplier(parts, backend);
  let isSilent = false;
  let isRung = false;
  /** A look was rung for and has to wait for its turn. */
  let isOwed = false;
  /** No look before, by how long the last ones took: none at all, and none at servers that nobody waits for. */
  const notBefore = { any: Number.NEGATIVE_INFINITY, unwaited: Number.NEGATIVE_INFINITY };

  /** One server's trouble does not hold back the others; the store's is everybody's. */
  const each = async (docs: readonly ServerDoc[], work: (doc: ServerDoc) => Promise<void>): Promise<void> => {
    for (const doc of docs) {
      if (end.signal.aborted || bounds.fenced()) return;
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

  /** One call for these servers. Their handles were stored before it begins: what it does not show is missing. */
  const observe = async (
    docs: readonly ServerDoc[],
    { isPart, isWaitedFor }: { isPart: boolean; isWaitedFor: boolean },
  ): Promise<void> => {
    if (docs.length === 0) return;
    let seen: Observation;
    // By a clock that runs by itself: it says how much the backend is asked of, nothing is decided by it.
    const began = performance.now();
    const rest = (times: number) => {
      const restMs = Math.min(LONGEST_MS, (performance.now() - began) * (times - 1));
      const now = clock.monotonic();
      notBefore.any = now + Math.min(restMs, pace.waitedRestMs);
      if (!isWaitedFor) notBefore.unwaited = now + restMs;
    };
    try {
      const stored = docs.map((doc) => storedServer(doc));
      seen = await look.call((signal) => backend.spawner.observe(stored, { signal }));
    } catch (error) {
      if (error instanceof GivenUp) return;
      rest(AWAY_SHARE);
      hear(false, error);
      absent.forget();
      return each(docs, (doc) => markUnknown(parts, doc, reasonOf(error)));
    }
    rest(SHARE);
    hear(true);
    // One call asks for all servers; JupyterHub's poll asks for one.
    const status = seen.rows.length > 0 ? "running" : "stopped";
    count("server_poll_duration_seconds", (performance.now() - began) / 1000, { status });
    const byTag = new Map(seen.rows.map((found) => [found.tag, found]));
    await each(docs, async (doc) => {
      const found = byTag.get(doc.tag);
      if (found) {
        absent.forget(doc._id);
        await rows.apply(doc, found);
      } else if (!isPart && !seen.complete) absent.forget(doc._id);
      else if (absent.missed(doc, isPart ? "part" : "complete"))
        search.begin(doc._id, () => absent.search(doc));
    });
    for (const doc of docs)
      if (wantsSecondFind(doc, clock.now())) search.begin(doc._id, () => stopSecondFind(look, doc));
  };

  const lookAtAll = async (): Promise<void> => {
    const docs = await servers.all();
    const ids = new Set(docs.map((doc) => doc._id));
    absent.keep(ids);
    rows.keep(ids);
    await observe(docs, { isPart: false, isWaitedFor: false });
  };

  const { moving, resting } = backend.observeMs;
  const againMs = Math.min(resting, Math.max(moving, AGAIN_MS));
  const at = { all: Number.NEGATIVE_INFINITY, moving: 0, unknown: 0 };

  /** All servers at the resting pace; between, only those for which somebody waits. */
  const lookIfDue = async (isRung: boolean): Promise<void> => {
    const now = clock.monotonic();
    isOwed = isRung && now < notBefore.any;
    if (now < notBefore.any) return;
    const isRested = now >= notBefore.unwaited;
    if (isRested && now - at.all >= (absent.isOpen ? againMs : resting)) {
      Object.assign(at, { all: now, moving: now, unknown: now });
      return lookAtAll();
    }
    const docs: ServerDoc[] = [];
    if (isRung || now - at.moving >= moving) {
      at.moving = now;
      docs.push(...(await servers.moving()));
    }
    const unknown: ServerDoc[] = [];
    if (isRested && now - at.unknown >= againMs) {
      at.unknown = now;
      unknown.push(...(await servers.unknown()));
    }
    await observe([...docs, ...unknown], { isPart: true, isWaitedFor: unknown.length === 0 });
  };

  const run = async (): Promise<void> => {
    while (!end.signal.aborted) {
      const wasRung = isRung || isOwed;
      isRung = false;
      try {
        if (!bounds.fenced()) await lookIfDue(wasRung);
      } catch (error) {
        if (!isAway(error)) log.error({ backend: backend.name, err: error }, "backend not observed");
      }
      if (!isRung) await door.wait(Math.min(pace.lookMs, moving));
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
      await search.close();
    },
  };
}
