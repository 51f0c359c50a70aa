import { type Cause, noCause, ServerStartFailed, ServerStopped } from "@elara/contracts";
import { timestamp } from "@elara/runtime/clock";
import { observe } from "@elara/runtime/metrics/meter";
import { pause } from "@elara/runtime/pause";
import type { Backend } from "./backends.ts";
import { bounded } from "./bounded.ts";
import type { ServerDoc } from "./decision.ts";
import { countFailure, secondsBetween } from "./durations.ts";
import { eventData } from "./event-data.ts";
import { hasHandle } from "./ledger.ts";
import { ACTOR, driverOf, type SpawnParts } from "./parts.ts";
import { toFailed, toGone } from "./phases.ts";
import { TAIL_LINES } from "./steps.ts";
import { storedServer } from "./stored-server.ts";
import { tellFailure } from "./tracing.ts";

/**
 * Keeps the server's last lines with the attempt, before anything of it is cleaned away. A backend that cannot tell is no
 * fault, and one that is slow does not hold the message up: its lines come after it.
 */
async function keepTail(parts: SpawnParts, backend: Backend, doc: ServerDoc): Promise<void> {
  if (!hasHandle(doc) || !backend.spawner.logs || parts.row.fenced()) return;
  await Promise.race([readTail(parts, backend, doc), pause(parts.pace.logsWaitMs)]);
}

async function readTail(parts: SpawnParts, backend: Backend, doc: ServerDoc): Promise<void> {
  const { spawner } = backend;
  try {
    const lines = await bounded(
      parts.pace.logsTimeoutMs,
      (signal) => spawner.logs?.(storedServer(doc), { lines: TAIL_LINES, signal }) ?? Promise.resolve([]),
      parts.row,
    );
    await parts.steps.tail(doc, lines);
  } catch (error) {
    parts.log.warn({ serverId: doc._id, err: error }, "last lines not kept");
  }
}

/**
 * A start has failed: lines first, then the ledger, then the page. `isGone`: nothing is left at the backend. Written
 * only while the document is where the decision was made; undefined when it moved.
 */
export async function failStart(
  parts: SpawnParts,
  backend: Backend,
  given: { doc: ServerDoc; cause: Cause; isGone: boolean },
): Promise<ServerDoc | undefined> {
  const { doc, cause, isGone } = given;
  await keepTail(parts, backend, doc);
  const failed = await parts.ledger.change(doc._id, (current) => {
    if (current.generation !== doc.generation || current.phase !== doc.phase) return undefined;
    if (current.desired !== "running") return undefined;
    return {
      set: {
        ...toFailed(cause, { clocks: backend.clocks, nowMs: parts.clock.now(), isGone }),
        ...(current.driver.instance === "" ? { driver: driverOf(parts) } : {}),
      },
      events: [parts.ledger.event(ServerStartFailed, current, { ...eventData(current), cause }, ACTOR)],
    };
  });
  if (!failed) return undefined;
  tellFailure("server.start_failed", doc, cause.code);
  countFailure(doc, cause.code, causeTime(parts));
  parts.log.warn(
    {
      serverId: doc._id,
      generation: doc.generation,
      backend: doc.backend,
      code: cause.code,
      operator: cause.operator,
    },
    "start failed",
  );
  await parts.steps.add(failed, "failed", cause.message);
  return failed;
}

/** A server is gone from its backend: stopped on request, or by itself (then `ended` is why). */
export async function markGone(
  parts: SpawnParts,
  backend: Backend,
  given: { doc: ServerDoc; ended?: Cause },
): Promise<ServerDoc | undefined> {
  const { doc, ended } = given;
  if (ended) await keepTail(parts, backend, doc);
  const gone = await parts.ledger.change(doc._id, (current) => {
    if (current.generation !== doc.generation || current.phase !== doc.phase) return undefined;
    const isCancel = current.cause.code === "SPAWN_CANCELLED";
    const cause = ended ?? (isCancel ? current.cause : noCause);
    const set = toGone(current, parts.clock.now(), cause);
    return {
      set: {
        ...set,
        ...(ended ? { desired: "stopped" as const } : {}),
        ...(current.driver.instance === "" ? { driver: driverOf(parts) } : {}),
      },
      events:
        current.phase === "failed"
          ? []
          : [parts.ledger.event(ServerStopped, current, { ...eventData(current), cause }, ACTOR)],
    };
  });
  if (gone && doc.phase === "stopping")
    observe("server_stop_seconds", secondsBetween(doc.phaseAt, causeTime(parts)), { status: "success" });
  if (gone && gone.phase === "stopped")
    parts.log.info(
      { serverId: doc._id, generation: doc.generation, code: gone.cause.code, after: doc.phase },
      "server stopped",
    );
  return gone;
}

/** Now, as it stands in a cause. */
export const causeTime = (parts: SpawnParts): string => timestamp(parts.clock.now());
