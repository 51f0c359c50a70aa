import { HubError, noCause, ServerStopRequested, SpawnStop } from "@elara/contracts";
import { causeOf } from "../causes.ts";
import type { ServerDoc } from "../decision.ts";
import { eventData } from "../event-data.ts";
import { causeTime } from "../fail.ts";
import { clocksOf, driverOf } from "../parts.ts";
import { enter, isStarting, mustStop, phaseOf } from "../phases.ts";
import {
  answered,
  type Desk,
  type Given,
  refuseWhenReplaced,
  spawnerMissing,
  traceOf,
  withMemo,
} from "./order.ts";

type Stop = Given<typeof SpawnStop>;

const ATTEMPTS = 12;

/** Takes `spawn.stop`: cancels in every phase; nothing there is stopped already. */
export async function orderStop(desk: Desk, given: Stop) {
  const { parts } = desk;
  const { request } = given;
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const doc = await parts.ledger.byName(request.userId, request.serverName);
    if (doc?.deletedAt !== "") return { serverId: "", generation: 0, stopped: true };
    const answer = await stopServer(desk, given, doc);
    if (answer) return answer;
  }
  throw new HubError("STORE_CONFLICT");
}

/** Wants this server stopped, in one write; undefined when it moved meanwhile. Also used by purge. */
export async function stopServer(desk: Desk, given: Stop, doc: ServerDoc) {
  const { parts } = desk;
  const { request, orderId } = given;
  const before = answered(SpawnStop, doc, orderId);
  if (before) return before;
  refuseWhenReplaced(doc, request.generation);
  const isEnded = (doc.phase === "stopped" || doc.phase === "failed") && !mustStop(doc);
  const answer = { serverId: doc._id, generation: doc.generation, stopped: isEnded };
  const remember = { orders: withMemo(parts, doc, orderId, answer) };
  if (isEnded && !doc.inMotion) {
    if (!request.remove) return answer;
    const gone = parts.ledger.tombstone(doc, request.actor);
    const removed = await parts.ledger.move(doc, { ...gone, set: { ...gone.set, ...remember } });
    if (removed) await parts.forget(removed);
    return removed && answer;
  }
  // A purge stands in the ledger all the same: the server goes when its spawner is configured again.
  const isDrivable = parts.backends.get(doc.backend) !== undefined;
  if (request.reason !== "purge" && !isDrivable) throw spawnerMissing(doc.backend);
  await refuseWhenActive(desk, request, doc);
  const wish = {
    ...remember,
    desired: "stopped" as const,
    traceparent: traceOf(given),
    ...(request.remove ? { removeWhenStopped: true } : {}),
    ...(doc.driver.instance === "" && isDrivable ? { driver: driverOf(parts) } : {}),
  };
  const isEnding = isEnded || mustStop(doc) || phaseOf(doc) === "stopping";
  const moved = await parts.ledger.move(
    doc,
    isEnding
      ? { set: wish }
      : {
          set: {
            ...wish,
            ...enter("stopping", clocksOf(parts, doc.backend), parts.clock.now()),
            phaseBefore: "",
            inMotion: true,
            routed: false,
            cause: isStarting(phaseOf(doc)) ? causeOf("SPAWN_CANCELLED", causeTime(parts)) : noCause,
          },
          events: [
            parts.ledger.event(
              ServerStopRequested,
              doc,
              { ...eventData(doc), reason: request.reason },
              request.actor,
            ),
          ],
        },
  );
  if (moved) desk.drivers.look(moved);
  return moved && answer;
}

/** What was seen later than the one who orders knows, here or in the store, keeps the server. */
async function refuseWhenActive({ activity }: Desk, request: Stop["request"], doc: ServerDoc): Promise<void> {
  if (request.ifIdleSince === undefined || phaseOf(doc) !== "ready") return;
  const latest = await activity.latest(doc.userId, `s:${doc._id}`);
  if (latest > request.ifIdleSince) throw new HubError("SERVER_ACTIVE");
}
