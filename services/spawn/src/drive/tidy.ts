import { AuthRevokeServer } from "@elara/contracts";
import { begin } from "../begin.ts";
import { bounded } from "../bounded.ts";
import type { ServerDoc } from "../decision.ts";
import { hasHandle, noDriver } from "../ledger.ts";
import { ACTOR } from "../parts.ts";
import { keyOf, storedServer } from "../stored-server.ts";
import { besides } from "../tracing.ts";
import type { Drive, DriveStep } from "./drive.ts";

const CLEANUPS = 3;

/** `stopped` or `failed`, gone from the backend: revokes, cleans up, then rests, is removed, or starts anew. */
export const tidy: DriveStep = async (drive, doc) => {
  const { parts } = drive;
  if (doc.generation > 0) {
    try {
      await parts.bus.request(
        AuthRevokeServer,
        { userId: doc.userId, serverId: doc._id, generation: doc.generation },
        besides(doc),
      );
    } catch (error) {
      parts.log.warn({ serverId: doc._id, err: error }, "grant not revoked yet");
      return drive.retry.next();
    }
  }
  await stopLate(drive, doc);
  if (!(await cleanUp(drive, doc))) return drive.retry.next();
  drive.retry.reset();
  if (doc.phase === "stopped") await parts.steps.add(doc, "stopped");
  return settle(drive, doc);
};

/** A submit got through when the server was taken for gone: what it made is stopped too. */
async function stopLate({ parts, backend, memory }: Drive, doc: ServerDoc): Promise<void> {
  const { late } = memory;
  if (late?.generation !== doc.generation || parts.row.fenced()) return;
  memory.late = undefined;
  parts.log.warn({ serverId: doc._id, generation: doc.generation }, "server of a late submit stopped");
  const { graceSeconds, stopSeconds } = backend.clocks;
  await bounded(
    stopSeconds * 1000,
    (signal) => backend.spawner.stop(storedServer(doc, late.handle), { graceSeconds, signal }),
    parts.row,
  ).catch((error: unknown) => parts.log.error({ serverId: doc._id, err: error }, "late server not stopped"));
}

/** False: to be tried again. A plugin that cannot forget does not hold the server. */
async function cleanUp(drive: Drive, doc: ServerDoc): Promise<boolean> {
  const { parts, backend, memory } = drive;
  const { cleanup } = backend.spawner;
  const wasSubmitted = hasHandle(doc) || (doc.submitUntil ?? "") !== "";
  if (!cleanup || !wasSubmitted) return true;
  const server = hasHandle(doc) ? storedServer(doc) : keyOf(doc);
  try {
    await drive.call(
      doc,
      (signal) => cleanup.call(backend.spawner, server, { signal }),
      (current) => current.phase === doc.phase,
    );
    return true;
  } catch (error) {
    parts.log.warn({ serverId: doc._id, backend: doc.backend, err: error }, "cleanup failed");
    return ++memory.cleanups >= CLEANUPS;
  }
}

async function settle(drive: Drive, doc: ServerDoc): Promise<number> {
  const { parts } = drive;
  const forgotten = { handle: {}, handleAt: "", submitUntil: "" };
  if (doc.desired === "stopped" && doc.removeWhenStopped) {
    const removed = await parts.ledger.move(doc, parts.ledger.tombstone(doc, ACTOR));
    if (removed) await parts.forget(removed);
    return 0;
  }
  if (doc.desired === "stopped") {
    await parts.ledger.move(doc, { set: { ...forgotten, inMotion: false, driver: noDriver } });
    return 0;
  }
  // A start was ordered while this one ended: its turn now. Its limits are counted before it is submitted.
  await parts.ledger.move(doc, begin(parts, doc, ACTOR));
  return 0;
}
