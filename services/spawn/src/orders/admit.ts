import { HubError, noCause, type Server, ServerStartFailed } from "@elara/contracts";
import { timestamp } from "@elara/runtime/clock";
import { isUnjudged } from "../admission.ts";
import { causeOfError } from "../causes.ts";
import type { Decision, ServerDoc } from "../decision.ts";
import { countFailure } from "../durations.ts";
import { eventData } from "../event-data.ts";
import { causeTime } from "../fail.ts";
import { noDriver } from "../ledger.ts";
import { ACTOR, clocksOf, type SpawnParts } from "../parts.ts";
import { enter } from "../phases.ts";
import { withMemo } from "./order.ts";

/**
 * User and limits of a start that stands in the ledger. Admitted: that is written together with the order's answer.
 * Refused: the start is taken out of the ledger again and the refusal thrown. Undefined: somebody else admitted it at
 * the same moment, so the order is to be looked at anew.
 */
export async function admit(parts: SpawnParts, doc: ServerDoc, orderId: string) {
  const { ledger } = parts;
  const answer = { serverId: doc._id, generation: doc.generation };
  const refusal = await parts.admission.mayStart(doc);
  const judged = await ledger.change(doc._id, (current) => {
    if (current.generation !== doc.generation || !isUnjudged(current)) return undefined;
    if (refusal) return takenOut(parts, current, refusal);
    const admittedAt = timestamp(parts.clock.now());
    return { set: { admittedAt, orders: withMemo(parts, current, orderId, answer) } };
  });
  if (!judged) return overtaken(await ledger.read(doc._id), doc, refusal);
  if (refusal) {
    countFailure(doc, refusal.code, causeTime(parts));
    throw refusal;
  }
  await parts.steps.add(judged, "requested");
  return answer;
}

/** Another verdict, or a cancel, was written first: it holds. */
function overtaken(now: ServerDoc | undefined, doc: ServerDoc, refusal: HubError | undefined): undefined {
  const own = now?.generation === doc.generation ? now : undefined;
  if (own?.desired === "running") return undefined;
  const { code, message } = own?.cause ?? noCause;
  throw refusal ?? (code === "" ? new HubError("SPAWN_CANCELLED") : new HubError(code, { message }));
}

/** A record made by this very start leaves with it. */
const isNew = (doc: Server): boolean => doc.generation === 1 && doc.createdAt === doc.requestedAt;

function takenOut(parts: SpawnParts, doc: ServerDoc, refusal: HubError): Decision {
  const { ledger } = parts;
  const cause = causeOfError(refusal, causeTime(parts));
  const failed = ledger.event(ServerStartFailed, doc, { ...eventData(doc), cause }, ACTOR);
  const rest = {
    ...enter("stopped", clocksOf(parts, doc.backend), parts.clock.now()),
    desired: "stopped" as const,
    inMotion: false,
    driver: noDriver,
    stoppedAt: timestamp(parts.clock.now()),
    cause,
  };
  if (!isNew(doc)) return { set: rest, events: [failed] };
  const gone = ledger.tombstone(doc, ACTOR);
  return { set: { ...rest, ...gone.set }, events: [failed, ...(gone.events ?? [])] };
}
