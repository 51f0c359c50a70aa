import { ServerStarting } from "@elara/contracts";
import { timestamp } from "@elara/runtime/clock";
import type { ServerDoc } from "../decision.ts";
import { eventData } from "../event-data.ts";
import { hasHandle } from "../ledger.ts";
import { ACTOR } from "../parts.ts";
import { enter, mustStop } from "../phases.ts";
import { storedServer } from "../stored-server.ts";
import type { Drive } from "./drive.ts";

/** Stores what a submit made; `submitUntil` stays when another call for this tag may still get through. */
export async function accept(
  drive: Drive,
  doc: ServerDoc,
  handle: Record<string, unknown>,
  submitUntil: string,
): Promise<void> {
  const { parts, backend } = drive;
  const now = parts.clock.now();
  await parts.ledger.change(doc._id, (current) => {
    if (!drive.isOwn(current) || current.generation !== doc.generation || hasHandle(current))
      return undefined;
    const stored = {
      handle,
      handleAt: timestamp(now),
      startedAt: timestamp(now),
      submitUntil: submitUntil > timestamp(now) ? submitUntil : "",
    };
    // A cancel came while it was submitted: stored all the same, because it has to be stopped.
    if (current.phase !== "requested") return { set: stored };
    const data = { ...eventData(current), backend: current.backend };
    return {
      set: { ...stored, ...enter("starting", backend.clocks, now) },
      events: [parts.ledger.event(ServerStarting, current, data, ACTOR)],
    };
  });
  parts.lookSoon(doc.backend);
}

/**
 * The submit has ended without a handle. What it left, if anything, is found by one more look at the backend, which
 * need not wait; `inherited`: an older call may still get through until then; `isNothing`: this one made nothing.
 */
export const markEnded = (
  drive: Drive,
  doc: ServerDoc,
  { inherited, isNothing }: { inherited: string; isNothing: boolean },
): Promise<ServerDoc | undefined> =>
  drive.parts.ledger.change(doc._id, (current) =>
    drive.isOwn(current) && current.generation === doc.generation && !hasHandle(current)
      ? { set: { submitUntil: inherited || (isNothing ? "" : timestamp(drive.parts.clock.now())) } }
      : undefined,
  );

/**
 * A call ignored its abort, or was left to itself. When it ends after all, what it made is driven on while its generation
 * lives; else it is stopped, because nobody will ever look for it.
 */
export function hearLate(drive: Drive, doc: ServerDoc, begun: Promise<Record<string, unknown>>): void {
  const { parts, backend, memory } = drive;
  const made = async (returned: Record<string, unknown>) => {
    const late = { generation: doc.generation, handle: backend.handle(returned) };
    // Laid down first: a driver that tidies at this moment takes it, or it is taken back here.
    memory.late = late;
    drive.ring();
    const current = await parts.ledger.read(doc._id);
    const isOfIt = current?.generation === doc.generation;
    if (isOfIt && (current.phase === "requested" || mustStop(current) || hasHandle(current))) return;
    if (memory.late !== late || parts.row.fenced()) return;
    memory.late = undefined;
    parts.log.warn({ serverId: doc._id, generation: doc.generation }, "server of a late submit stopped");
    const { graceSeconds, stopSeconds } = backend.clocks;
    await backend.spawner.stop(storedServer(doc, late.handle), {
      graceSeconds,
      signal: AbortSignal.timeout(stopSeconds * 1000),
    });
  };
  const ended = async () => {
    await markEnded(drive, doc, { inherited: "", isNothing: false });
    drive.ring();
  };
  begun
    .then(made, ended)
    .catch((error: unknown) => parts.log.error({ serverId: doc._id, err: error }, "late submit not settled"));
}
