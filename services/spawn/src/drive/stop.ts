import { timestamp } from "@elara/runtime/clock";
import { causeOf } from "../causes.ts";
import { causeTime, markGone } from "../fail.ts";
import { hasHandle, type ServerDoc } from "../ledger.ts";
import { leftMs, mustStop, phaseOf } from "../phases.ts";
import { keyOf, storedServer } from "../stored-server.ts";
import { accept } from "./accept.ts";
import { type Drive, type DriveStep, Interrupted } from "./drive.ts";

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
    await drive.call(
      doc,
      (signal) => backend.spawner.stop(storedServer(doc), { graceSeconds, signal }),
      (current) => mustStop(current) || phaseOf(current) === "stopping",
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
  const found =
    late ??
    (await drive
      .call(doc, (signal) => backend.spawner.locate(keyOf(doc), { signal }), mustStop)
      .catch((error: unknown) => {
        if (error instanceof Interrupted) throw error;
        parts.log.warn({ serverId: doc._id, backend: doc.backend, err: error }, "backend not searched");
        return "not answered" as const;
      }));
  if (found === "not answered") return drive.retry.next();
  drive.retry.reset();
  if (found !== undefined) {
    await accept(drive, doc, backend.handle(found), doc.submitUntil);
    return 0;
  }
  // The old call's time is over and nothing was found after it: nothing is there.
  if (doc.submitUntil <= timestamp(parts.clock.now())) return isGone();
  return parts.pace.lookMs;
}

/** Time is up and it is still there: told, and the stop begins anew with a new clock. */
async function alarm(drive: Drive, doc: ServerDoc): Promise<number> {
  const { parts, backend, memory } = drive;
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
  memory.isStopAsked = false;
  const deadlineAt = timestamp(parts.clock.now() + backend.clocks.stopSeconds * 1000);
  const isCancel = doc.cause.code === "SPAWN_CANCELLED";
  await parts.ledger.move(doc, {
    set:
      doc.phase === "stopping" && !isCancel
        ? { deadlineAt, cause: causeOf("SPAWN_STOP_TIMEOUT", causeTime(parts)) }
        : { deadlineAt },
  });
  return 0;
}
