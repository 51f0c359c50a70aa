import {
  type Server,
  ServerAdopted,
  ServerAllocated,
  ServerEndKnown,
  ServerQueued,
  ServerStartDeferred,
  ServerStarting,
  ServerStopping,
} from "@elara/contracts";
import type { PendingEvent } from "@elara/runtime/store/store";
import type { Decision, EventMaker, ServerDoc } from "./decision.ts";
import { eventData } from "./event-data.ts";
import { isStarting } from "./phases.ts";

const ACTOR = "system:spawn";

/**
 * The events of a step that whoever decided on it does not tell: every change of phase, driver, end and wish that others
 * may rely on has one, whichever way it came about.
 */
export function untold(doc: ServerDoc, { set, events = [] }: Decision, event: EventMaker): PendingEvent[] {
  const now: ServerDoc = { ...doc, ...set };
  const data = eventData(now);
  const found: PendingEvent[] = [];
  if (now.phase !== doc.phase && events.length === 0) found.push(...ofPhase(doc, now, event));
  if (isTakenOver(doc, now)) {
    const who = { driver: now.driver.instance, before: doc.driver.instance };
    found.push(event(ServerAdopted, now, { ...data, ...who }, ACTOR));
  }
  if (now.endsAt !== "" && now.endsAt !== doc.endsAt)
    found.push(event(ServerEndKnown, now, { ...data, endsAt: now.endsAt }, ACTOR));
  const isWanted = now.desired === "running" && doc.desired === "stopped";
  if (isWanted && !isStarting(now.phase) && events.length === 0)
    found.push(event(ServerStartDeferred, now, data, ACTOR));
  return found;
}

const isTakenOver = ({ driver: before }: Server, { driver: now }: Server): boolean =>
  before.instance !== "" && now.instance !== "" && before.instance !== now.instance;

function ofPhase(doc: ServerDoc, now: ServerDoc, event: EventMaker): PendingEvent[] {
  const data = eventData(now);
  const { backend } = now;
  switch (now.phase) {
    case "queued":
      return [event(ServerQueued, now, { ...data, backend, reason: now.reason ?? "" }, ACTOR)];
    case "starting":
      return [
        event(doc.phase === "queued" ? ServerAllocated : ServerStarting, now, { ...data, backend }, ACTOR),
      ];
    case "stopping":
      return [event(ServerStopping, now, data, ACTOR)];
    default:
      return [];
  }
}
