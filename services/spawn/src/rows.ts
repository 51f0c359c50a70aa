import { codeOf, ERRORS, ServerFound, ServerUnknown } from "@elara/contracts";
import { timestamp } from "@elara/runtime/clock";
import type { Row } from "@elara/sdk";
import type { Backend } from "./backends.ts";
import { causeOfEnd } from "./causes.ts";
import type { Decision, ServerDoc } from "./decision.ts";
import { eventData } from "./event-data.ts";
import { causeTime, failStart, markGone } from "./fail.ts";
import { ACTOR, type SpawnParts } from "./parts.ts";
import { enter, fromUnknown, isStarting, mustStop, toUnknown } from "./phases.ts";
import type { StepName } from "./steps.ts";

type Still = (decide: (current: ServerDoc) => Decision | undefined) => Promise<ServerDoc | undefined>;

/** Writes only while the server is where it was when the backend was looked at. */
const still =
  (parts: SpawnParts, doc: ServerDoc): Still =>
  (decide) =>
    parts.ledger.change(doc._id, (current) =>
      current.generation === doc.generation && current.phase === doc.phase ? decide(current) : undefined,
    );

/** A reason that changes all the time is not written each time. */
const REASON_MS = 10_000;
const MOST = 300;

/** Words for the owner, as they stand in the ledger; `undefined` when what stands there is to stay. */
function reasonFor(parts: SpawnParts, doc: ServerDoc, words: string): string | undefined {
  const now = words.slice(0, MOST);
  const before = doc.reason ?? "";
  if (now === before) return undefined;
  const isFresh = before !== "" && now !== "" && parts.clock.now() - Date.parse(doc.changedAt) < REASON_MS;
  return isFresh ? undefined : now;
}

/**
 * Nobody can say how this server is: clocks stand, the route stays, nothing is ended. `reason` is for its owner,
 * `detail` for the operator.
 */
export async function markUnknown(
  parts: SpawnParts,
  doc: ServerDoc,
  { reason, detail = reason }: { reason: string; detail?: string },
): Promise<void> {
  if (doc.phase === "failed") return;
  if (doc.phase === "unknown") {
    const news = reasonFor(parts, doc, reason);
    if (news !== undefined) await still(parts, doc)(() => ({ set: { reason: news } }));
    return;
  }
  const marked = await still(
    parts,
    doc,
  )((current) => ({
    set: toUnknown(current, parts.clock.now(), reason.slice(0, MOST)),
    events: [
      parts.ledger.event(
        ServerUnknown,
        current,
        { ...eventData(current), reason: detail.slice(0, MOST) },
        ACTOR,
      ),
    ],
  }));
  if (marked) parts.log.warn({ serverId: doc._id, backend: doc.backend, reason: detail }, "server unknown");
}

/** It is seen again: back to the phase before, with what was left of its clock. */
const markFound = (parts: SpawnParts, doc: ServerDoc): Promise<ServerDoc | undefined> =>
  still(
    parts,
    doc,
  )((current) => ({
    set: fromUnknown(current, parts.clock.now()),
    events: [parts.ledger.event(ServerFound, current, eventData(current), ACTOR)],
  }));

/** Writes what a backend says of its servers into the ledger. */
export interface RowApplier {
  /** One row about one server. */
  apply(doc: ServerDoc, row: Row): Promise<void>;
  /** Keeps the memory of these servers only. */
  keep(serverIds: ReadonlySet<string>): void;
}

/** Applies rows. It remembers which steps it has told, so that a look at a waiting server costs no reading. */
export function rowApplier(parts: SpawnParts, backend: Backend): RowApplier {
  const told = new Map<string, string>();
  const tell: Tell = async (doc, step, message) => {
    const what = `${doc.generation} ${step} ${message ?? ""}`;
    if (told.get(doc._id) === what) return;
    await parts.steps.add(doc, step, message);
    told.set(doc._id, what);
  };
  return {
    async apply(doc, row) {
      if (row.state === "unknown")
        return markUnknown(parts, doc, { reason: row.reason || ERRORS.SPAWN_BACKEND_AWAY.user });
      const seen = doc.phase === "unknown" ? await markFound(parts, doc) : doc;
      if (!seen) return;
      if (row.state === "ended" || row.state === "lost") return applyEnd(parts, backend, seen, row);
      if (mustStop(seen)) return;
      if (isStarting(seen.phase)) return applyStart(parts, { backend, tell }, seen, row);
      if (seen.phase === "ready") await applyRunning(parts, seen, row);
    },
    keep(serverIds) {
      for (const id of told.keys()) if (!serverIds.has(id)) told.delete(id);
    },
  };
}

type Tell = (doc: ServerDoc, step: StepName, message?: string) => Promise<void>;

/** The end of a server, whatever it was doing. */
async function applyEnd(parts: SpawnParts, backend: Backend, doc: ServerDoc, row: Row): Promise<void> {
  if (mustStop(doc)) {
    await markGone(parts, backend, { doc });
    return;
  }
  const { errors } = backend.plugin;
  if (isStarting(doc.phase)) {
    const cause = causeOfEnd("SPAWN_ENDED", row, errors, causeTime(parts));
    await failStart(parts, backend, { doc, cause, isGone: true });
  } else if (doc.phase === "ready") {
    await markGone(parts, backend, { doc, ended: causeOfEnd("SERVER_ENDED", row, errors, causeTime(parts)) });
  }
}

const QUEUEING: Partial<Record<Row["state"], string>> = {
  queued: "Waiting in the queue",
  held: "Held in the queue",
  suspended: "Suspended",
};

/** The words of a row: what it waits for, and that it is held or suspended. */
function wordsOf({ state, reason = "" }: Row): string {
  if (state !== "held" && state !== "suspended") return reason;
  return [QUEUEING[state], reason].filter((part) => part !== "").join(": ");
}

/** Queue, boot and address of a server that starts. */
async function applyStart(
  parts: SpawnParts,
  { backend, tell }: { backend: Backend; tell: Tell },
  doc: ServerDoc,
  row: Row,
): Promise<void> {
  // Not taken by the backend yet; or just ending there, then `ended` comes next.
  if (row.state === "submitting" || row.state === "stopping") return;
  const write = still(parts, doc);
  const now = parts.clock.now();
  const waits = QUEUEING[row.state];
  if (waits !== undefined) {
    const reason = reasonFor(parts, doc, wordsOf(row));
    // Queued again: it comes up somewhere else. Suspended: it goes on where it is.
    const url = row.state === "suspended" ? doc.url : "";
    if (doc.phase === "starting")
      await write(() => ({
        set: { ...enter("queued", backend.clocks, now), url, reason: wordsOf(row).slice(0, MOST) },
      }));
    else if (reason !== undefined) await write(() => ({ set: { reason } }));
    return tell(doc, "queued", row.reason ? `${waits}: ${row.reason}` : waits);
  }
  const url = row.url ?? doc.url;
  const endsAt = endsAtOf(row, doc);
  const isStep = doc.phase === "queued" || url !== doc.url;
  const reason = reasonFor(parts, doc, wordsOf(row));
  const isNews = isStep || endsAt !== doc.endsAt || reason !== undefined;
  const seen = isNews
    ? await write((current) => ({
        set: {
          ...(isStep ? enter("starting", backend.clocks, now, url !== "") : {}),
          url,
          endsAt,
          reason: reason ?? current.reason ?? "",
        },
      }))
    : doc;
  if (seen) await tell(seen, "process_started");
}

/** A server that runs: its address, the end of its allocation, or what is said of it may change. */
async function applyRunning(parts: SpawnParts, doc: ServerDoc, row: Row): Promise<void> {
  const url = row.url ?? doc.url;
  const endsAt = endsAtOf(row, doc);
  const reason = reasonFor(parts, doc, wordsOf(row));
  if (url === doc.url && endsAt === doc.endsAt && reason === undefined) return;
  await still(parts, doc)(() => ({ set: { url, endsAt, ...(reason === undefined ? {} : { reason }) } }));
}

/** As the ledger writes times; what is none is left out. */
function endsAtOf({ endsAt = "" }: Row, doc: ServerDoc): string {
  const ms = Date.parse(endsAt);
  return Number.isNaN(ms) ? doc.endsAt : timestamp(ms);
}

/** What is told of an error: only one with a code may speak to the owner. */
export function reasonOf(error: unknown): { reason: string; detail: string } {
  const text = error instanceof Error ? error.message : String(error);
  const code = codeOf(error);
  const isOurs = error instanceof Error && "operator" in error && code !== "";
  return {
    reason: isOurs ? text : ERRORS.SPAWN_BACKEND_AWAY.user,
    detail: code === "" ? text : `${code}: ${text}`,
  };
}
