import { codeOf, ServerFound, ServerUnknown } from "@elara/contracts";
import type { Row } from "@elara/sdk";
import type { Backend } from "./backends.ts";
import { causeOfEnd } from "./causes.ts";
import { causeTime, failStart, markGone } from "./fail.ts";
import { type Decision, eventData, type ServerDoc } from "./ledger.ts";
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

/** Nobody can say how this server is: clocks stand, the route stays, nothing is ended. */
export async function markUnknown(parts: SpawnParts, doc: ServerDoc, reason: string): Promise<void> {
  if (doc.phase === "unknown" || doc.phase === "failed") return;
  const marked = await still(
    parts,
    doc,
  )((current) => ({
    set: toUnknown(current, parts.clock.now()),
    events: [
      parts.ledger.event(
        ServerUnknown,
        current,
        { ...eventData(current), reason: reason.slice(0, 300) },
        ACTOR,
      ),
    ],
  }));
  if (marked) parts.log.warn({ serverId: doc._id, backend: doc.backend, reason }, "server unknown");
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
      if (row.state === "unknown") return markUnknown(parts, doc, row.reason ?? "the backend cannot tell");
      const seen = doc.phase === "unknown" ? await markFound(parts, doc) : doc;
      if (!seen) return;
      if (row.state === "ended" || row.state === "lost") return applyEnd(parts, backend, seen, row);
      if (mustStop(seen)) return;
      if (isStarting(seen.phase)) return applyStart(parts, tell, seen, row);
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

const QUEUEING: readonly Row["state"][] = ["queued", "held", "suspended"];

/** Queue, boot and address of a server that starts. */
async function applyStart(parts: SpawnParts, tell: Tell, doc: ServerDoc, row: Row): Promise<void> {
  // Not taken by the backend yet; or just ending there, then `ended` comes next.
  if (row.state === "submitting" || row.state === "stopping") return;
  const write = still(parts, doc);
  const now = parts.clock.now();
  if (QUEUEING.includes(row.state)) {
    if (doc.phase === "starting" && doc.url === "")
      await write(() => ({ set: enter("queued", parts.config, now) }));
    return tell(doc, "queued", row.reason ? `Waiting in the queue: ${row.reason}` : undefined);
  }
  const url = row.url ?? doc.url;
  const endsAt = endsAtOf(row, doc);
  const isStep = doc.phase === "queued" || url !== doc.url;
  const isNews = isStep || endsAt !== doc.endsAt;
  const seen = isNews
    ? await write(() => ({
        set: { endsAt, url, ...(isStep ? enter("starting", parts.config, now, url !== "") : {}) },
      }))
    : doc;
  if (seen) await tell(seen, "process_started");
}

/** A server that runs: its address or the end of its allocation may change. */
async function applyRunning(parts: SpawnParts, doc: ServerDoc, row: Row): Promise<void> {
  const url = row.url ?? doc.url;
  const endsAt = endsAtOf(row, doc);
  if (url === doc.url && endsAt === doc.endsAt) return;
  await still(parts, doc)(() => ({ set: { url, endsAt } }));
}

const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;
const endsAtOf = (row: Row, doc: ServerDoc): string =>
  row.endsAt !== undefined && TIME.test(row.endsAt) ? row.endsAt : doc.endsAt;

/** What is told of an error as a reason. */
export const reasonOf = (error: unknown): string => {
  const text = error instanceof Error ? error.message : String(error);
  return codeOf(error) === "" ? text : `${codeOf(error)}: ${text}`;
};
