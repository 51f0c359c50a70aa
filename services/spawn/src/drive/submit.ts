import { AuthGrantServer, ServerStarting } from "@elara/contracts";
import { timestamp } from "@elara/runtime/clock";
import { causeOf, causeOfError, isAway } from "../causes.ts";
import { environmentOf, SECRET_ENVIRONMENT } from "../environment.ts";
import { causeTime, failStart } from "../fail.ts";
import { eventData, hasHandle, type ServerDoc } from "../ledger.ts";
import { ACTOR } from "../parts.ts";
import { enter, freeze, leftMs, thaw } from "../phases.ts";
import { newServerToken } from "../token.ts";
import { type Drive, type DriveStep, Interrupted } from "./drive.ts";

const isStillWanted = (doc: ServerDoc) => doc.phase === "requested" && doc.desired === "running";

/** `requested`: grant, environment, submit; the handle goes into the ledger. */
export const submit: DriveStep = async (drive, doc) => {
  const { parts, backend } = drive;
  await parts.steps.add(doc, "requested");
  const left = leftMs(doc, parts.clock.now());
  if (left !== undefined && left <= 0) {
    await failStart(parts, backend, {
      doc,
      cause: causeOf("SPAWN_SUBMIT_TIMEOUT", causeTime(parts)),
      isGone: false,
    });
    return 0;
  }
  if (doc.submitUntil) {
    // Somebody has begun a submit and its end is not known: what it made must be found before anything is submitted.
    const found = await drive.call(
      doc,
      (signal) => backend.spawner.locate(doc.tag, { signal }),
      isStillWanted,
    );
    if (found !== undefined) {
      parts.log.info({ serverId: doc._id, generation: doc.generation }, "submitted server found by its tag");
      await accept(drive, doc, backend.handle(found), doc.submitUntil);
      return 0;
    }
  }
  return prepare(drive, doc);
};

/** Token, grant, environment. The bus away: the clock stands until it is back. */
async function prepare(drive: Drive, doc: ServerDoc): Promise<number> {
  const { parts, backend } = drive;
  const { token, tokenDigest } = newServerToken();
  let clientId: string;
  try {
    const grant = await parts.bus.request(AuthGrantServer, {
      userId: doc.userId,
      serverId: doc._id,
      serverName: doc.name,
      generation: doc.generation,
      tokenDigest,
      path: doc.path,
    });
    clientId = grant.clientId;
  } catch (error) {
    if (!isAway(error)) {
      await failStart(parts, backend, { doc, cause: causeOfError(error, causeTime(parts)), isGone: false });
      return 0;
    }
    parts.log.warn({ serverId: doc._id, err: error }, "grant waits for the bus");
    if (doc.deadlineAt !== "") await parts.ledger.move(doc, { set: freeze(doc, parts.clock.now()) });
    return drive.retry.next();
  }
  drive.retry.reset();
  const env = environmentOf({
    hub: parts.hub,
    config: parts.config,
    server: doc,
    token,
    clientId,
    own: process.env,
  });
  await parts.steps.add(doc, "environment");
  const clock = thaw(doc, parts.clock.now());
  // From here on a call may be under way: this stands in the ledger before it begins.
  const marked = await parts.ledger.move(doc, {
    set: { ...clock, submitUntil: later(doc.submitUntil, clock.deadlineAt) },
  });
  if (marked) await hand(drive, marked, { env, inherited: doc.submitUntil ?? "" });
  return 0;
}

/** The call itself. Its handle is stored, or its failure told. */
async function hand(
  drive: Drive,
  doc: ServerDoc,
  given: { env: Record<string, string>; inherited: string },
): Promise<void> {
  const { parts, backend, memory } = drive;
  const progress = progressOf(drive, doc);
  memory.late = undefined;
  let begun: Promise<Record<string, unknown>> | undefined;
  let isGivenUp = () => false;
  try {
    const handle = await drive.call(
      doc,
      (signal) => {
        memory.isSubmitting = true;
        isGivenUp = () => signal.aborted;
        begun = backend.spawner
          .start(
            {
              tag: doc.tag,
              user: { id: doc.userId, name: doc.userName },
              server: doc.name,
              generation: doc.generation,
              options: backend.options(doc.options),
              argv: [...parts.config.command, ...parts.config.args],
              env: given.env,
              secretEnv: SECRET_ENVIRONMENT,
              servicePrefix: doc.path,
            },
            { signal, progress: progress.add },
          )
          .finally(() => {
            memory.isSubmitting = false;
          });
        return begun;
      },
      isStillWanted,
    );
    await progress.settled();
    await accept(drive, doc, backend.handle(handle), given.inherited);
  } catch (error) {
    if (memory.isSubmitting) return hearLate(drive, doc, begun);
    if (isAway(error)) throw error;
    // It ended: what it left, if anything, is found by one more look at the backend, which need not wait.
    const own = await parts.ledger.change(doc._id, (current) =>
      drive.isOwn(current) && !hasHandle(current)
        ? { set: { submitUntil: given.inherited || timestamp(parts.clock.now()) } }
        : undefined,
    );
    if (!own || !isStillWanted(own)) return;
    const isLate = (leftMs(own, parts.clock.now()) ?? 1) <= 0;
    // Given up because this instance was fenced: still wanted, so it is tried again.
    if (!isLate && (isGivenUp() || error instanceof Interrupted)) return;
    const at = causeTime(parts);
    const cause = isLate ? causeOf("SPAWN_SUBMIT_TIMEOUT", at) : causeOfError(error, at);
    if (!isLate) parts.log.warn({ serverId: doc._id, backend: doc.backend, err: error }, "submit failed");
    await failStart(parts, backend, { doc: own, cause, isGone: false });
  }
}

/** Stores what a submit made; `submitUntil` stays when another call for this tag may still get through. */
export async function accept(
  drive: Drive,
  doc: ServerDoc,
  handle: Record<string, unknown>,
  submitUntil: string,
): Promise<void> {
  const { parts } = drive;
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
      set: { ...stored, ...enter("starting", parts.config, now) },
      events: [parts.ledger.event(ServerStarting, current, data, ACTOR)],
    };
  });
  parts.lookSoon(doc.backend);
}

/** A call that ignored its abort: when it ends after all, what it made is driven on, or stopped when nobody wants it any more. */
function hearLate(drive: Drive, doc: ServerDoc, begun: Promise<Record<string, unknown>> | undefined): void {
  const { parts, backend, memory } = drive;
  begun
    ?.then(
      async (returned) => {
        const current = await parts.ledger.read(doc._id);
        const handle = backend.handle(returned);
        if (current && drive.isOwn(current) && current.generation === doc.generation && current.inMotion) {
          memory.late = handle;
          drive.ring();
          return;
        }
        const isItself = current && JSON.stringify(current.handle) === JSON.stringify(handle);
        if (
          isItself ||
          parts.row.fenced() ||
          (current && current.generation === doc.generation && current.inMotion)
        )
          return;
        parts.log.warn({ serverId: doc._id, generation: doc.generation }, "server of a late submit stopped");
        await backend.spawner.stop(handle, {
          graceSeconds: parts.config.graceSeconds,
          signal: AbortSignal.timeout(parts.config.stopSeconds * 1000),
        });
      },
      () => drive.ring(),
    )
    .catch((error: unknown) => parts.log.error({ serverId: doc._id, err: error }, "late submit not settled"));
}

const later = (a: string | undefined, b: string): string => (a !== undefined && a > b ? a : b);

/** A plugin's own steps, one after the other, and never more than a page can show. */
function progressOf({ parts }: Drive, doc: ServerDoc) {
  let chain: Promise<void> = Promise.resolve();
  let told = 0;
  return {
    add(step: string, message: string, progress = 20): void {
      if (++told > 200) return;
      chain = chain
        .then(() => parts.steps.addOther(doc, { step, message, progress: 10 + progress * 0.4 }))
        .catch((error: unknown) => parts.log.warn({ serverId: doc._id, err: error }, "step not kept"));
    },
    settled: () => chain,
  };
}
