import { timestamp } from "@elara/runtime/clock";
import { observe } from "@elara/runtime/metrics/meter";
import { causeOf } from "../causes.ts";
import type { ServerDoc } from "../decision.ts";
import { causeTime, markGone } from "../fail.ts";
import { hasHandle } from "../ledger.ts";
import { leftMs, mustStop, phaseOf } from "../phases.ts";
import { storedServer } from "../stored-server.ts";
import { stepSpan } from "../tracing.ts";
import { accept } from "./accept.ts";
import { type Drive, type DriveStep, Interrupted } from "./drive.ts";
import { isSubmitOver, search } from "./search.ts";

/** `stopping`, or `failed` with something left at the backend: asks it to stop, the observer sees the end. */
export const stop: DriveStep = async (drive, doc) => {
  const { parts } = drive;
  if (doc.phase === "stopping") await parts.steps.add(doc, "stopping");
  const left = leftMs(doc, parts.clock.now());
  if (left !== undefined && left <= 0) return alarm(drive, doc);
  if (!hasHandle(doc)) return findWhatWasMade(drive, doc);
  if (drive.memory.isStopAsked) return parts.pace.lookMs;
  return ask(drive, doc);
};

/** `unknown`, but it is to stop: asked again and again, without a clock. */
export const stopUnseen: DriveStep = (drive, doc) =>
  hasHandle(doc) && !drive.memory.isStopAsked ? ask(drive, doc) : Promise.resolve(drive.parts.pace.lookMs);

async function ask(drive: Drive, doc: ServerDoc): Promise<number> {
  const { parts, backend, memory } = drive;
  const { graceSeconds } = backend.clocks;
  try {
    await stepSpan("server.stop", doc, () =>
      drive.call(
        doc,
        (signal) => backend.spawner.stop(storedServer(doc), { graceSeconds, signal }),
        (current) => mustStop(current) || phaseOf(current) === "stopping",
      ),
    );
  } catch (error) {
    if (error instanceof Interrupted) return 0;
    parts.log.warn({ serverId: doc._id, backend: doc.backend, err: error }, "stop not taken by the backend");
    return drive.retry.next();
  }
  drive.retry.reset();
  memory.isStopAsked = true;
  parts.lookSoon(doc.backend);
  return parts.pace.lookMs;
}

/** No handle: either nothing was ever submitted, or a call was lost or is still under way. */
async function findWhatWasMade(drive: Drive, doc: ServerDoc): Promise<number> {
  const { parts, backend, memory } = drive;
  const isGone = async () => {
    await markGone(parts, backend, { doc });
    return 0;
  };
  if (!doc.submitUntil) return isGone();
  const late = memory.late?.generation === doc.generation ? memory.late.handle : undefined;
  memory.late = undefined;
  // Before the search: only one that begins after the old call's time sees all that it made.
  const isOver = isSubmitOver(doc, parts.clock.now());
  const end = late ? { found: late } : await search(drive, doc, mustStop);
  if (end.waitMs !== undefined) return Math.min(end.waitMs, parts.pace.lookMs);
  if (end.found !== undefined) {
    await accept(drive, doc, backend.handle(end.found), doc.submitUntil);
    return 0;
  }
  return isOver ? isGone() : parts.pace.lookMs;
}

/** Time is up and it is still there: told, and the stop begins anew with a new clock. */
async function alarm(drive: Drive, doc: ServerDoc): Promise<number> {
  const { parts, backend, memory } = drive;
  const deadlineAt = timestamp(parts.clock.now() + backend.clocks.stopSeconds * 1000);
  if (!hasHandle(doc)) {
    // Nothing was asked to stop yet: what may be there is searched for, and its own words say why that takes long.
    await parts.ledger.move(doc, { set: { deadlineAt } });
    return 0;
  }
  parts.log.error(
    {
      serverId: doc._id,
      generation: doc.generation,
      backend: doc.backend,
      phase: doc.phase,
      code: "SPAWN_STOP_TIMEOUT",
    },
    "server does not stop",
  );
  observe("server_stop_seconds", backend.clocks.stopSeconds, { status: "failure" });
  memory.isStopAsked = false;
  const isCancel = doc.cause.code === "SPAWN_CANCELLED";
  await parts.ledger.move(doc, {
    set:
      doc.phase === "stopping" && !isCancel
        ? { deadlineAt, cause: causeOf("SPAWN_STOP_TIMEOUT", causeTime(parts)) }
        : { deadlineAt },
  });
  return 0;
}
