import { isDeepStrictEqual } from "node:util";
import { codeOf } from "@elara/contracts";
import { timestamp } from "@elara/runtime/clock";
import type { Observation } from "@elara/sdk";
import type { Backend } from "./backends.ts";
import { bell } from "./bell.ts";
import { bounded } from "./bounded.ts";
import { causeOf, causeOfEnd, isAway } from "./causes.ts";
import { causeTime, failStart, markGone } from "./fail.ts";
import { hasHandle, type ServerDoc } from "./ledger.ts";
import type { SpawnParts } from "./parts.ts";
import { isStarting, phaseOf } from "./phases.ts";
import { applyRow, markUnknown } from "./rows.ts";

/** Looks at one backend for all servers, while this instance holds its lease. */
export interface Observer {
  /** Something moves there: look now, or right after the look under way. */
  lookSoon(): void;
  close(): Promise<void>;
}

/** Complete answers in a row, without it, after which a server is searched for by its tag. */
const ABSENCES = 2;

const PHASES = ["queued", "starting", "ready", "stopping", "unknown"];

interface ObserverOptions {
  readonly backend: Backend;
  /** Whether this instance is the one that observes. */
  readonly held: () => boolean;
  /** A server needs a driver. */
  readonly look: (doc: ServerDoc) => void;
}

/** Starts observing. */
export function startObserver(parts: SpawnParts, { backend, held, look }: ObserverOptions): Observer {
  const { ledger, log, clock, row, pace } = parts;
  const door = bell();
  const absent = new Map<string, { generation: number; handleAt: string; times: number }>();
  let isClosing = false;
  let isSilent = false;
  let isRung = false;
  const controller = new AbortController();

  const watched = async (): Promise<ServerDoc[]> => {
    const docs: ServerDoc[] = [];
    const where = {
      backend: backend.name,
      or: [{ phase: { in: PHASES } }, { phase: "failed", inMotion: true }],
    };
    for await (const doc of ledger.all({ where, sort: { by: ["backend", "_id"] } })) {
      if (hasHandle(doc) && (doc.phase !== "failed" || doc.deadlineAt !== "")) docs.push(doc);
    }
    return docs;
  };

  const call = <T>(work: (signal: AbortSignal) => Promise<T>): Promise<T> =>
    bounded(pace.observeTimeoutMs, work, controller.signal);
  const locate = (tag: string) => call((signal) => backend.spawner.locate(tag, { signal }));

  /** A server that two complete answers did not show and its tag does not find is gone. */
  const applyAbsence = async (doc: ServerDoc, seen: Observation): Promise<void> => {
    if (!seen.complete) return void absent.delete(doc._id);
    if (doc.handleAt >= seen.startedAt) return;
    const known = absent.get(doc._id);
    const isSame = known?.generation === doc.generation && known.handleAt === doc.handleAt;
    const times = isSame ? known.times + 1 : 1;
    absent.set(doc._id, { generation: doc.generation, handleAt: doc.handleAt, times });
    if (times < ABSENCES) return;
    let found: Record<string, unknown> | undefined;
    try {
      found = await locate(doc.tag);
    } catch (error) {
      return markUnknown(parts, doc, reasonOf(error));
    }
    absent.delete(doc._id);
    if (found !== undefined) {
      const handle = backend.handle(found);
      await ledger.change(doc._id, (current) =>
        current.generation === doc.generation && hasHandle(current)
          ? { set: { handle, handleAt: timestamp(clock.now()) } }
          : undefined,
      );
      return;
    }
    const end = { tag: doc.tag, state: "lost" as const, reason: "The backend does not know it any more." };
    const { errors } = backend.plugin;
    const phase = phaseOf(doc);
    if (isStarting(phase))
      await failStart(parts, backend, {
        doc,
        cause: causeOfEnd("SPAWN_ENDED", end, errors, causeTime(parts)),
        isGone: true,
      });
    else if (phase === "ready")
      await markGone(parts, backend, {
        doc,
        ended: causeOfEnd("SERVER_ENDED", end, errors, causeTime(parts)),
      });
    else await markGone(parts, backend, { doc });
  };

  /** The time of an old submit call is over: a second server it may have made is stopped. */
  const stopSecondFind = async (doc: ServerDoc): Promise<void> => {
    if (!doc.submitUntil || doc.submitUntil > timestamp(clock.now())) return;
    const found = await locate(doc.tag);
    const verdict = found === undefined ? "same" : await compare(doc, found);
    if (verdict === "unclear") return;
    if (found !== undefined && verdict === "second") {
      log.warn({ serverId: doc._id, generation: doc.generation }, "second server of a tag stopped");
      const { graceSeconds } = parts.config;
      await call((signal) => backend.spawner.stop(found, { graceSeconds, signal }));
    }
    await ledger.change(doc._id, (current) =>
      current.generation === doc.generation ? { set: { submitUntil: "" } } : undefined,
    );
  };

  /** Handles may differ in what is only for people: the same address is the same server. No address yet: not now. */
  const compare = async (doc: ServerDoc, found: Record<string, unknown>) => {
    if (isDeepStrictEqual(backend.handle(found), doc.handle)) return "same";
    const seen = await call((signal) => backend.spawner.observe([found], { signal }));
    const url = seen.rows.find((candidate) => candidate.tag === doc.tag)?.url ?? "";
    if (url === "" || doc.url === "") return "unclear";
    return url === doc.url ? "same" : "second";
  };

  const apply = async (doc: ServerDoc, seen: Observation): Promise<void> => {
    const found = seen.rows.find((candidate) => candidate.tag === doc.tag);
    if (found) {
      absent.delete(doc._id);
      await applyRow(parts, backend, doc, found);
    } else await applyAbsence(doc, seen);
    await stopSecondFind(doc);
    const now = await ledger.read(doc._id);
    if (now) look(now);
  };

  const each = async (docs: readonly ServerDoc[], work: (doc: ServerDoc) => Promise<void>): Promise<void> => {
    for (const doc of docs) {
      if (isClosing || !held() || row.fenced()) return;
      await work(doc).catch((error: unknown) => {
        if (isAway(error)) throw error;
        log.error({ serverId: doc._id, backend: backend.name, err: error }, "row not applied");
      });
    }
  };

  const observe = async (): Promise<void> => {
    const docs = await watched();
    const ids = new Set(docs.map((doc) => doc._id));
    for (const id of absent.keys()) if (!ids.has(id)) absent.delete(id);
    if (docs.length === 0) return;
    let seen: Observation;
    try {
      const handles = docs.map((doc) => doc.handle);
      seen = await call((signal) => backend.spawner.observe(handles, { signal }));
    } catch (error) {
      if (isClosing) return;
      if (!isSilent)
        log.warn(
          { backend: backend.name, code: "SPAWN_BACKEND_AWAY", err: error },
          "backend does not answer",
        );
      isSilent = true;
      const { operator } = causeOf("SPAWN_BACKEND_AWAY", "");
      absent.clear();
      return each(docs, (doc) => markUnknown(parts, doc, reasonOf(error) || operator));
    }
    if (isSilent) log.info({ backend: backend.name }, "backend answers again");
    isSilent = false;
    const byTag = new Map(seen.rows.map((found) => [found.tag, found]));
    await each(docs, (doc) => {
      const found = byTag.get(doc.tag);
      return apply(doc, { ...seen, rows: found ? [found] : [] });
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
    while (!isClosing) {
      try {
        const rung = isRung;
        isRung = false;
        if (held() && !row.fenced()) {
          const since = clock.monotonic() - lastAt;
          if (rung || since >= (await restMs())) {
            lastAt = clock.monotonic();
            await observe();
          }
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
      isClosing = true;
      controller.abort();
      door.ring();
      await done;
    },
  };
}

const reasonOf = (error: unknown): string => {
  const text = error instanceof Error ? error.message : String(error);
  return codeOf(error) === "" ? text : `${codeOf(error)}: ${text}`;
};
