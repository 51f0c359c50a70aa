import { codeOf, HubError, noCause, ServerRequested, ServerStartFailed, SpawnStart } from "@elara/contracts";
import { timestamp } from "@elara/runtime/clock";
import { begin, nextGeneration } from "../begin.ts";
import { causeOfError } from "../causes.ts";
import { causeTime } from "../fail.ts";
import { eventData, noDriver, type ServerDoc, type ServerSet } from "../ledger.ts";
import { enter, isStarting, phaseOf } from "../phases.ts";
import { pause } from "../probe.ts";
import { answered, type Desk, type Given, withMemo } from "./order.ts";
import { backendFor, checkName, newRecord } from "./record.ts";

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
async function startNew(desk: Desk, { request, orderId }: Start) {
  const { parts } = desk;
  const record = newRecord(parts, request);
  checkOptions(desk, record.backend, record.options);
  const answer = { serverId: record._id, generation: 1 };
  const first = {
    ...record,
    ...nextGeneration(parts, record),
    orders: withMemo(parts, record, orderId, answer),
  };
  const data = { ...eventData({ ...first, rev: 0 }), backend: first.backend, profile: first.profile };
  return desk.drivers
    .holding(record._id, async () => {
      try {
        const doc = await parts.ledger.insert(first, [
          parts.ledger.event(ServerRequested, first, data, request.actor),
        ]);
        await admit(desk, doc, true);
        return answer;
      } catch (error) {
        // Another order made the record at the same moment.
        if (codeOf(error) === "STORE_CONFLICT") return undefined;
        throw error;
      }
    })
    .then((taken) => drive(desk, record._id, taken));
}

/** A server that is in the ledger, in any phase. */
async function startKnown(desk: Desk, { request, orderId }: Start, doc: ServerDoc) {
  const { parts } = desk;
  const before = answered(SpawnStart, doc, orderId);
  if (before) return before;
  const phase = phaseOf(doc);
  if (phase === "ready") throw new HubError("SERVER_RUNNING");
  if (isStarting(phase) && doc.desired === "running") {
    const answer = { serverId: doc._id, generation: doc.generation };
    const noted = await parts.ledger.move(doc, { set: { orders: withMemo(parts, doc, orderId, answer) } });
    return noted && answer;
  }
  const wish = wishOf(desk, request, doc);
  const answer = { serverId: doc._id, generation: doc.generation + 1 };
  const orders = withMemo(parts, doc, orderId, answer);
  if (doc.inMotion) {
    // Something still ends: the start waits for it, and its driver begins the next generation.
    const { backend, ...later } = wish;
    if (!parts.backends.get(doc.backend)) throw new HubError("SPAWN_BACKEND_UNKNOWN");
    const queued = await parts.ledger.move(doc, { set: { ...later, orders, desired: "running" } });
    if (queued) desk.drivers.look(queued);
    return queued && answer;
  }
  return desk.drivers
    .holding(doc._id, async () => {
      const begun = await parts.ledger.move(doc, begin(parts, doc, request.actor, { ...wish, orders }));
      if (begun) await admit(desk, begun, false);
      return begun && answer;
    })
    .then((taken) => drive(desk, doc._id, taken));
}

/** What the order wants changed of the record; options absent: those of the last start. */
function wishOf(desk: Desk, request: Start["request"], doc: ServerDoc) {
  const profile = request.profile ?? doc.profile;
  const backend = backendFor(desk.parts, request.profile, doc.backend);
  const options = request.options ?? doc.options;
  checkOptions(desk, backend, options);
  return {
    backend,
    profile,
    options,
    userName: request.userName,
    removeWhenStopped: false,
    ...(request.displayName === undefined ? {} : { displayName: request.displayName }),
  } satisfies ServerSet;
}

/** Faults are told before anything is written. */
function checkOptions({ parts }: Desk, backend: string, options: Record<string, unknown>): void {
  (parts.backends.get(backend) ?? parts.backends.first).options(options);
}

/** User and limits, read after the write. A refused start is taken out of the ledger again and thrown. */
async function admit({ parts }: Desk, doc: ServerDoc, isNew: boolean): Promise<void> {
  const refusal = await parts.admission.refusal(doc);
  if (!refusal) {
    await parts.steps.add(doc, "requested");
    return;
  }
  const cause = causeOfError(refusal, causeTime(parts));
  await parts.ledger.change(doc._id, (current) => {
    if (current.generation !== doc.generation || current.phase !== "requested") return undefined;
    const failed = parts.ledger.event(
      ServerStartFailed,
      current,
      { ...eventData(current), cause },
      "system:spawn",
    );
    const rest = {
      ...enter("stopped", parts.config, parts.clock.now()),
      desired: "stopped" as const,
      inMotion: false,
      driver: noDriver,
      stoppedAt: timestamp(parts.clock.now()),
      cause: isNew ? noCause : cause,
      orders: current.orders.slice(0, -1),
    };
    if (!isNew) return { set: rest, events: [failed] };
    const gone = parts.ledger.tombstone(current, "system:spawn");
    return { set: { ...rest, ...gone.set }, events: [failed, ...(gone.events ?? [])] };
  });
  throw refusal;
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
