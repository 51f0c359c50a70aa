import { codeOf, HubError, ServerRequested, SpawnStart } from "@elara/contracts";
import { timestamp } from "@elara/runtime/clock";
import { pause } from "@elara/runtime/pause";
import { isUnjudged } from "../admission.ts";
import { begin, nextGeneration } from "../begin.ts";
import type { ServerDoc, ServerSet } from "../decision.ts";
import { eventData } from "../event-data.ts";
import { isStarting, phaseOf } from "../phases.ts";
import { choose, tellDropped } from "../profiles/choice.ts";
import { admit } from "./admit.ts";
import { answered, type Desk, type Given, spawnerMissing, traceOf, withMemo } from "./order.ts";
import { checkName, newRecord } from "./record.ts";

type Start = Given<typeof SpawnStart>;

/** A record that is being deleted keeps its name until its last event is out: so often it is waited for. */
const ATTEMPTS = 30;
const WAIT_MS = 50;

/** Takes `spawn.start`: the ledger first, then user and limits, then a driver. */
export async function orderStart(desk: Desk, given: Start) {
  const { parts } = desk;
  const { request } = given;
  checkName(parts, request.serverName);
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const doc = await parts.ledger.byName(request.userId, request.serverName);
    if (doc && doc.deletedAt !== "") {
      await pause(WAIT_MS, AbortSignal.timeout(WAIT_MS));
      continue;
    }
    const answer = doc ? await startKnown(desk, given, doc) : await startNew(desk, given);
    if (answer) return answer;
  }
  throw new HubError("STORE_CONFLICT");
}

/** A server nobody has seen yet: record and first generation in one write. */
async function startNew(desk: Desk, given: Start) {
  const { parts } = desk;
  const { request, orderId } = given;
  const record = newRecord(parts, { ...request, choice: await choose(parts, request) });
  const generation = nextGeneration(parts, record);
  const traceparent = traceOf(given);
  const first = { ...record, ...generation, createdAt: generation.requestedAt, traceparent };
  const data = { ...eventData(first), backend: first.backend, profile: first.profile };
  return desk.drivers
    .holding(record._id, async () => {
      const requested = parts.ledger.event(ServerRequested, first, data, request.actor);
      const doc = await parts.ledger.insert(first, [requested]).catch((error: unknown) => {
        // Another order made the record at the same moment.
        if (codeOf(error) === "STORE_CONFLICT") return undefined;
        throw error;
      });
      return doc && admit(parts, doc, orderId);
    })
    .then((taken) => drive(desk, record._id, taken));
}

/** A server that is in the ledger, in any phase. */
async function startKnown(desk: Desk, given: Start, doc: ServerDoc) {
  const { parts } = desk;
  const { request, orderId } = given;
  const before = answered(SpawnStart, doc, orderId);
  if (before) return before;
  const phase = phaseOf(doc);
  if (phase === "ready") throw new HubError("SERVER_RUNNING");
  if (isStarting(phase) && doc.desired === "running") {
    // Not accepted before it is admitted: who asks again meanwhile counts as well, and one verdict stands.
    if (isUnjudged(doc)) return admit(parts, doc, orderId);
    const answer = { serverId: doc._id, generation: doc.generation };
    const noted = await parts.ledger.move(doc, { set: { orders: withMemo(parts, doc, orderId, answer) } });
    return noted && answer;
  }
  const { dropped, ...choice } = await choose(parts, request, doc);
  const wish = {
    ...choice,
    userName: request.userName,
    removeWhenStopped: false,
    traceparent: traceOf(given),
    ...(request.displayName === undefined ? {} : { displayName: request.displayName }),
  } satisfies ServerSet;
  if (doc.inMotion) {
    // Something still ends: the start waits for it, and its driver begins the next generation.
    const { backend, ...later } = wish;
    const answer = { serverId: doc._id, generation: doc.generation + 1 };
    const orders = withMemo(parts, doc, orderId, answer);
    if (!parts.backends.get(doc.backend)) throw spawnerMissing(doc.backend);
    const queued = await parts.ledger.move(doc, { set: { ...later, orders, desired: "running" } });
    if (!queued) return undefined;
    await tellDropped(parts, { ...queued, generation: answer.generation }, dropped);
    desk.drivers.look(queued);
    return answer;
  }
  return desk.drivers
    .holding(doc._id, async () => {
      const begun = await parts.ledger.move(doc, begin(parts, doc, request.actor, wish));
      const answer = begun && (await admit(parts, begun, orderId));
      if (begun && answer) await tellDropped(parts, begun, dropped);
      return answer;
    })
    .then((taken) => drive(desk, doc._id, taken));
}

/** Its driver begins. A start is a sign of life of its user. */
async function drive<T>({ parts, drivers, activity }: Desk, serverId: string, taken: T): Promise<T> {
  const doc = taken === undefined ? undefined : await parts.ledger.read(serverId);
  if (!doc) return taken;
  drivers.look(doc);
  const now = { use: timestamp(parts.clock.now()) };
  activity.seen(doc.userId, `s:${doc._id}`, now);
  activity.seen(doc.userId, `u:${doc.userId}`, now);
  return taken;
}
