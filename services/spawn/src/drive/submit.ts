import { AuthGrantServer, codeOf } from "@elara/contracts";
import { timestamp } from "@elara/runtime/clock";
import { awayCodes, isAway } from "@elara/runtime/is-away";
import { failureCode } from "@elara/runtime/telemetry/failure-code";
import type { Span } from "@elara/runtime/telemetry/tracer";
import { isUnjudged } from "../admission.ts";
import { causeOf, causeOfError } from "../causes.ts";
import type { ServerDoc } from "../decision.ts";
import { environmentOf } from "../environment.ts";
import { causeTime, failStart } from "../fail.ts";
import { logInEnvironment } from "../log-in-environment.ts";
import { freeze, leftMs, thaw } from "../phases.ts";
import { optionsToStart } from "../profiles/choice.ts";
import { madeNothing } from "../promises.ts";
import { keyOf } from "../stored-server.ts";
import { newServerToken } from "../token.ts";
import { besides, stepSpan } from "../tracing.ts";
import { accept, hearLate, markEnded } from "./accept.ts";
import { type Drive, type DriveStep, Interrupted } from "./drive.ts";
import { progressOf } from "./progress.ts";
import { search } from "./search.ts";

/** How long a start waits for auth before it is told as failed. */
const GRANT_WAIT_MS = 120_000;
const isWaiting = (doc: ServerDoc): boolean => (doc.clockLeftMs ?? 0) > 0;

const isStillWanted = (doc: ServerDoc) => doc.phase === "requested" && doc.desired === "running";

/** `requested`: grant, environment, submit; the handle goes into the ledger. */
export const submit: DriveStep = async (drive, doc) => {
  const { parts, backend } = drive;
  if (isUnjudged(doc)) return judge(drive, doc);
  await parts.steps.add(doc, "requested");
  const left = leftMs(doc, parts.clock.now());
  if (left !== undefined && left <= 0) {
    const code = isWaiting(doc) ? drive.memory.awayCode : "SPAWN_SUBMIT_TIMEOUT";
    await failStart(parts, backend, { doc, cause: causeOf(code, causeTime(parts)), isGone: false });
    return 0;
  }
  if (doc.submitUntil) {
    // Somebody has begun a submit and its end is not known: what it made must be found before anything is submitted.
    const end = await search(drive, doc, isStillWanted);
    if (end.waitMs !== undefined) return Math.min(end.waitMs, parts.pace.lookMs);
    if (end.found !== undefined) {
      parts.log.info({ serverId: doc._id, generation: doc.generation }, "submitted server found by its tag");
      await accept(drive, doc, backend.handle(end.found), doc.submitUntil);
      return 0;
    }
  }
  return prepare(drive, doc);
};

/** Whoever ordered the start died before its limits were counted, or it waited for the end of the one before. */
async function judge({ parts, backend }: Drive, doc: ServerDoc): Promise<number> {
  const refusal = await parts.admission.mayStart(doc);
  if (refusal)
    await failStart(parts, backend, { doc, cause: causeOfError(refusal, causeTime(parts)), isGone: true });
  else await parts.ledger.move(doc, { set: { admittedAt: causeTime(parts) } });
  return 0;
}

/** Auth away: the submit clock stands, and another one runs, so that nobody waits for ever. */
async function waitForGrant({ parts, memory }: Drive, doc: ServerDoc, error: unknown): Promise<void> {
  memory.awayCode = awayCodes.find((code) => code === codeOf(error)) ?? memory.awayCode;
  parts.log.warn({ serverId: doc._id, err: error }, "grant waits for auth");
  await parts.steps.add(doc, "login_awaited");
  if (isWaiting(doc)) return;
  const now = parts.clock.now();
  const deadlineAt = timestamp(now + GRANT_WAIT_MS);
  await parts.ledger.move(doc, { set: { ...freeze(doc, now), deadlineAt } });
}

/** Options, token, grant, what the log-in brings along, environment. */
async function prepare(drive: Drive, doc: ServerDoc): Promise<number> {
  const { parts, backend } = drive;
  const { token, tokenDigest } = newServerToken();
  let options: Record<string, unknown>;
  let apiUrl: string;
  try {
    options = optionsToStart(parts, doc);
    await drive.call(doc, (signal) => backend.check(options, signal), isStillWanted);
    apiUrl = await drive.call(doc, () => backend.apiUrl(), isStillWanted);
  } catch (error) {
    if (error instanceof Interrupted) throw error;
    parts.log.warn({ serverId: doc._id, backend: doc.backend, err: error }, "start not prepared");
    await failStart(parts, backend, { doc, cause: causeOfError(error, causeTime(parts)), isGone: false });
    return 0;
  }
  let clientId: string;
  let logIn: Record<string, string>;
  try {
    const grant = await parts.bus.request(
      AuthGrantServer,
      {
        userId: doc.userId,
        serverId: doc._id,
        serverName: doc.name,
        generation: doc.generation,
        tokenDigest,
        path: doc.path,
      },
      besides(doc),
    );
    clientId = grant.clientId;
    logIn = await logInEnvironment(parts, doc);
  } catch (error) {
    if (!isAway(error)) {
      await failStart(parts, backend, { doc, cause: causeOfError(error, causeTime(parts)), isGone: false });
      return 0;
    }
    await waitForGrant(drive, doc, error);
    return drive.retry.next();
  }
  drive.retry.reset();
  const env = environmentOf({
    hub: parts.hub,
    config: { environment: backend.environment, defaultUrl: parts.config.defaultUrl },
    server: { ...doc, apiUrl },
    token,
    clientId,
    logIn,
  });
  await parts.steps.add(doc, "environment");
  const clock = thaw(isWaiting(doc) ? { ...doc, deadlineAt: "" } : doc, parts.clock.now());
  // From here on a call may be under way: this stands in the ledger before it begins.
  const marked = await parts.ledger.move(doc, {
    set: { ...clock, apiUrl, submitUntil: later(doc.submitUntil, clock.deadlineAt) },
  });
  if (!marked) return 0;
  const given = { env, options, inherited: doc.submitUntil ?? "" };
  await stepSpan("server.submit", marked, (span) => hand(drive, marked, given, span));
  return 0;
}

/** The call itself. Its handle is stored, or its failure told. */
async function hand(
  drive: Drive,
  doc: ServerDoc,
  given: { env: Record<string, string>; options: Record<string, unknown>; inherited: string },
  span: Span,
): Promise<void> {
  const { parts, backend } = drive;
  const progress = progressOf(drive, doc);
  let begun: Promise<Record<string, unknown>> | undefined;
  let isUnderWay = false;
  let isGivenUp = () => false;
  try {
    const request = requestOf(drive, doc, given);
    const handle = await drive.call(
      doc,
      (signal) => {
        isUnderWay = true;
        isGivenUp = () => signal.aborted;
        const start = async () => backend.spawner.start(request, { signal, progress: progress.add });
        begun = start().finally(() => {
          isUnderWay = false;
        });
        return begun;
      },
      isStillWanted,
      "leave",
    );
    await progress.settled();
    await accept(drive, doc, backend.handle(handle), given.inherited);
  } catch (error) {
    span.fail(failureCode(error));
    if (begun && isUnderWay) return hearLate(drive, doc, begun);
    if (isAway(error)) throw error;
    const own = await markEnded(drive, doc, { inherited: given.inherited, isNothing: madeNothing(error) });
    if (!own || !isStillWanted(own)) return;
    const isLate = (leftMs(own, parts.clock.now()) ?? 1) <= 0;
    // Given up because this instance was fenced: still wanted, so it is tried again.
    if (!isLate && (isGivenUp() || error instanceof Interrupted)) return;
    const at = causeTime(parts);
    const cause = isLate ? causeOf("SPAWN_SUBMIT_TIMEOUT", at) : causeOfError(error, at);
    if (!isLate) parts.log.warn({ serverId: doc._id, backend: doc.backend, err: error }, "submit failed");
    await failStart(parts, backend, { doc: own, cause, isGone: false });
  } finally {
    progress.close();
  }
}

const requestOf = (
  { parts, backend }: Drive,
  doc: ServerDoc,
  { env, options }: { env: Record<string, string>; options: Record<string, unknown> },
) => ({
  ...keyOf(doc),
  options,
  argv: [...backend.command, ...parts.config.args],
  env,
  servicePrefix: doc.path,
});

const later = (a: string | undefined, b: string): string => (a !== undefined && a > b ? a : b);
