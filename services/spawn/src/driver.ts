import { timestamp } from "@elara/runtime/clock";
import { isAway } from "@elara/runtime/is-away";
import { pause } from "@elara/runtime/pause";
import type { Backend } from "./backends.ts";
import { bell } from "./bell.ts";
import type { ServerDoc } from "./decision.ts";
import { announce, boot } from "./drive/boot.ts";
import { type Drive, type DriveStep, Interrupted } from "./drive/drive.ts";
import { stop, stopUnseen } from "./drive/stop.ts";
import { submit } from "./drive/submit.ts";
import { tidy } from "./drive/tidy.ts";
import { noDriver } from "./ledger.ts";
import { backoff } from "./pace.ts";
import type { SpawnParts } from "./parts.ts";
import { isPastStart, leftMs, mustStop, phaseOf } from "./phases.ts";
import { tracer } from "./tracing.ts";

/** Drives one server in motion until it rests, or another driver has it. */
export interface Driver {
  /** The document changed, or may have: look now. */
  nudge(): void;
  /** Ends without touching the server: a call under way may end for `withinMs`, then the document is free for another driver. */
  handOver(withinMs: number): Promise<void>;
  readonly done: Promise<void>;
}

const FENCED = "fenced";
const TAKEN_OVER = "another driver took over";
/** Why a call is given up here although what it does may be wanted: another driver goes on with it. */
const SUPERSEDED: ReadonlySet<string> = new Set([FENCED, TAKEN_OVER]);

/** The step that this document asks for. */
function stepOf(doc: ServerDoc): DriveStep | undefined {
  if (mustStop(doc)) return stop;
  switch (doc.phase) {
    case "requested":
      return submit;
    case "starting":
      return boot;
    case "ready":
      return announce;
    case "stopped":
    case "failed":
      return tidy;
    case "unknown":
      return phaseOf(doc) === "stopping" ? stopUnseen : undefined;
    default:
      return undefined;
  }
}

/** Begins to drive a server whose document names this instance as its driver. */
export function startDriver(parts: SpawnParts, backend: Backend, serverId: string): Driver {
  const { clock, pace, row } = parts;
  const door = bell();
  let isEnding = false;
  /** The hand-over does not wait any longer: calls under way are left as they are, not aborted. */
  let isLeft = false;
  let generation = -1;
  let awaySince: number | undefined;

  const isOwn = (doc: ServerDoc) =>
    doc.driver.instance === parts.instance.id && doc.driver.epoch === parts.instance.epoch;

  /** The document as it is now; "away" while the store is. Its time away does not count against the deadline. */
  const look = async (): Promise<ServerDoc | "away" | undefined> => {
    try {
      const doc = await parts.ledger.read(serverId);
      if (awaySince === undefined || !doc || !isOwn(doc)) return doc;
      const lost = clock.now() - awaySince;
      if (doc.deadlineAt !== "") {
        const deadlineAt = timestamp(Date.parse(doc.deadlineAt) + lost);
        if (!(await parts.ledger.move(doc, { set: { deadlineAt } })))
          return await parts.ledger.read(serverId);
      }
      awaySince = undefined;
      return await parts.ledger.read(serverId);
    } catch (error) {
      if (!isAway(error)) throw error;
      awaySince ??= clock.now();
      return "away";
    }
  };

  const isOver = (current: ServerDoc | undefined, { generation }: ServerDoc) =>
    current?.generation !== generation || isPastStart(current);

  /**
   * Nobody here waits for this start any more, but its server may be the one that another driver has found: it is
   * aborted only when the ledger says that the generation is to end.
   */
  const watchLeft = async (doc: ServerDoc, start: { isSettled: () => boolean; abort: () => void }) => {
    while (!start.isSettled() && !isEnding) {
      await pause(pace.lookMs);
      const current = await parts.ledger.read(serverId).catch((error: unknown) => {
        if (isAway(error)) return doc;
        throw error;
      });
      if (isOver(current, doc)) return start.abort();
    }
  };

  const call: Drive["call"] = async (doc, work, stays, ifSuperseded = "abort") => {
    if (row.fenced()) throw new Interrupted(FENCED);
    const controller = new AbortController();
    let isSettled = false;
    const running = Promise.resolve()
      .then(() => work(controller.signal))
      .finally(() => {
        isSettled = true;
        door.ring();
      });
    const whyNot = async (): Promise<string | undefined> => {
      if (row.fenced()) return FENCED;
      const current = await look();
      if (current === "away") return undefined;
      if (!current) return "removed";
      if (current.generation !== doc.generation) return "another generation";
      if (!isOwn(current)) return isOver(current, doc) ? "not wanted any more" : TAKEN_OVER;
      const left = leftMs(current, clock.now());
      if (left !== undefined && left <= 0) return "deadline passed";
      return stays(current) ? undefined : "not wanted any more";
    };
    const watch = async (): Promise<string | undefined> => {
      while (!isSettled) {
        await door.wait(pace.lookMs);
        if (isSettled) return undefined;
        if (isLeft) throw new Interrupted("handed over");
        const why = isEnding ? undefined : await whyNot();
        if (why !== undefined) return why;
      }
      return undefined;
    };
    running.catch(() => {});
    const why = await watch();
    if (why === undefined) return running;
    if (ifSuperseded === "leave" && SUPERSEDED.has(why)) {
      const abort = () => controller.abort(new Interrupted("not wanted any more"));
      watchLeft(doc, { isSettled: () => isSettled, abort }).catch((error: unknown) =>
        parts.log.warn({ serverId, err: error }, "start left to itself is not watched"),
      );
      throw new Interrupted(why);
    }
    parts.log.debug({ serverId, generation: doc.generation, why }, "backend call aborted");
    controller.abort(new Interrupted(why));
    const { promise: unheard, reject } = Promise.withResolvers<never>();
    const timer = setTimeout(() => reject(new Interrupted(why)), pace.settleMs);
    return Promise.race([running, unheard]).finally(() => clearTimeout(timer));
  };

  const drive: Drive = {
    parts,
    backend,
    retry: backoff(pace.retryMs),
    searchRetry: backoff(pace.searchMs),
    memory: {
      late: undefined,
      isStopAsked: false,
      cleanups: 0,
      search: { notBefore: 0, wish: "" },
      awayCode: "BUS_NO_RESPONDERS",
    },
    isOwn,
    call,
    ring: door.ring,
  };

  const once = async (doc: ServerDoc): Promise<number> => {
    if (doc.generation !== generation) {
      generation = doc.generation;
      drive.memory.isStopAsked = false;
      drive.memory.cleanups = 0;
      drive.memory.search = { notBefore: 0, wish: "" };
      drive.retry.reset();
      drive.searchRetry.reset();
    }
    const step = stepOf(doc);
    if (!step) return pace.lookMs;
    try {
      return await tracer.within(doc.traceparent ?? "", () => step(drive, doc));
    } catch (error) {
      if (error instanceof Interrupted) return 0;
      if (isAway(error)) return pace.lookMs;
      parts.log.error(
        { serverId, generation: doc.generation, phase: doc.phase, err: error },
        "driver step failed",
      );
      return drive.retry.next();
    }
  };

  const run = async (): Promise<void> => {
    while (!isEnding) {
      const doc = await look();
      if (doc === "away" || row.fenced()) {
        await door.wait(pace.lookMs);
        continue;
      }
      // The next generation may belong to another backend: it gets a driver of its own.
      if (!doc?.inMotion || !isOwn(doc) || doc.backend !== backend.name) return;
      const rest = await once(doc);
      if (rest > 0 && !isEnding) await door.wait(rest);
    }
  };
  const done = run().catch((error: unknown) => {
    parts.log.error({ serverId, err: error }, "driver ended by a fault");
  });

  return {
    nudge: door.ring,
    done,
    async handOver(withinMs) {
      isEnding = true;
      door.ring();
      const { promise: late, resolve } = Promise.withResolvers<void>();
      const timer = setTimeout(resolve, withinMs);
      await Promise.race([done, late]);
      clearTimeout(timer);
      isLeft = true;
      await parts.ledger
        .change(serverId, (doc) => (isOwn(doc) ? { set: { driver: noDriver } } : undefined))
        .catch((error: unknown) => parts.log.warn({ serverId, err: error }, "driver not handed over"));
    },
  };
}
