import type { Cause, Phase, Server } from "@elara/contracts";
import { timestamp } from "@elara/runtime/clock";

const FOLLOWS: Readonly<Record<Phase, readonly Phase[]>> = {
  stopped: ["requested"],
  requested: ["queued", "starting", "stopping", "failed", "stopped"],
  queued: ["starting", "stopping", "failed", "unknown"],
  starting: ["queued", "ready", "stopping", "failed", "unknown"],
  ready: ["stopping", "stopped", "unknown"],
  stopping: ["stopped", "unknown"],
  failed: ["requested"],
  unknown: ["queued", "starting", "ready", "stopping", "stopped", "failed"],
};

/** Whether the ledger allows this step; staying is always allowed. */
export const mayFollow = (from: Phase, to: Phase): boolean => from === to || FOLLOWS[from].includes(to);

/** Seconds of each phase's clock, from the configuration. */
export interface Clocks {
  readonly submitSeconds: number;
  readonly bootSeconds: number;
  readonly httpSeconds: number;
  readonly stopSeconds: number;
}

/** The clocks of a server, with the time it gets to end by itself. */
export interface ServerClocks extends Clocks {
  readonly graceSeconds: number;
}

/** How long a phase may last; undefined where time must not end it. `hasUrl`: the address is known, the HTTP clock runs. */
export function phaseSeconds(phase: Phase, clocks: Clocks, hasUrl = false): number | undefined {
  switch (phase) {
    case "requested":
      return clocks.submitSeconds;
    case "starting":
      return hasUrl ? clocks.httpSeconds : clocks.bootSeconds;
    case "stopping":
      return clocks.stopSeconds;
    default:
      return undefined;
  }
}

/** The phase with its clock wound up, as fields to set. */
export function enter(phase: Phase, clocks: Clocks, nowMs: number, hasUrl = false) {
  const seconds = phaseSeconds(phase, clocks, hasUrl);
  return {
    phase,
    phaseAt: timestamp(nowMs),
    deadlineAt: seconds === undefined ? "" : timestamp(nowMs + seconds * 1000),
    clockLeftMs: 0,
    reason: "",
  };
}

/** The phase the server is really in: while unknown, the one before. */
export function phaseOf(doc: Pick<Server, "phase" | "phaseBefore">): Phase {
  if (doc.phase !== "unknown") return doc.phase;
  const before = doc.phaseBefore;
  return before === "queued" || before === "starting" || before === "stopping" ? before : "ready";
}

/** Milliseconds until the deadline (negative when passed); undefined without one. */
export const leftMs = (doc: Pick<Server, "deadlineAt">, nowMs: number): number | undefined =>
  doc.deadlineAt === "" ? undefined : Date.parse(doc.deadlineAt) - nowMs;

/** Stops the clock and remembers what was left; a clock that has run out keeps a moment, or it would never ring. */
export function freeze(doc: Pick<Server, "deadlineAt" | "clockLeftMs">, nowMs: number) {
  const left = leftMs(doc, nowMs);
  return { deadlineAt: "", clockLeftMs: left === undefined ? (doc.clockLeftMs ?? 0) : Math.max(1, left) };
}

/** Lets a frozen clock run on with what was left. */
export const thaw = (doc: Pick<Server, "deadlineAt" | "clockLeftMs">, nowMs: number) => ({
  deadlineAt: doc.deadlineAt === "" && doc.clockLeftMs ? timestamp(nowMs + doc.clockLeftMs) : doc.deadlineAt,
  clockLeftMs: 0,
});

/** Fields of the step into `unknown`: clock frozen, route and address kept. */
export const toUnknown = (doc: Server, nowMs: number, reason: string) => ({
  phase: "unknown" as const,
  reason,
  phaseBefore: doc.phase,
  phaseAt: timestamp(nowMs),
  ...freeze(doc, nowMs),
});

/** Fields of the way back out of `unknown`. */
export const fromUnknown = (doc: Server, nowMs: number) => ({
  phase: phaseOf(doc),
  phaseBefore: "",
  reason: "",
  phaseAt: timestamp(nowMs),
  ...thaw(doc, nowMs),
});

/** Something may still be at the backend and has to be stopped before anything else: `stopping`, or `failed` with a clock. */
export const mustStop = (doc: Pick<Server, "phase" | "deadlineAt">): boolean =>
  doc.phase === "stopping" || (doc.phase === "failed" && doc.deadlineAt !== "");

/** A start is under way: a second start order is accepted without a second start. */
export const isStarting = (phase: Phase): boolean =>
  phase === "requested" || phase === "queued" || phase === "starting";

/** The start of this generation is over, whatever a start call still under way makes: it ends, has ended or has failed. */
export const isPastStart = (doc: Pick<Server, "phase" | "phaseBefore">): boolean =>
  doc.phase === "failed" || doc.phase === "stopped" || phaseOf(doc) === "stopping";

/** Fields of a failure. It is told at once; what was made is stopped after it, with a clock of its own. */
export function toFailed(cause: Cause, given: { clocks: Clocks; nowMs: number; isGone: boolean }) {
  const at = timestamp(given.nowMs);
  return {
    phase: "failed" as const,
    phaseBefore: "",
    phaseAt: at,
    desired: "stopped" as const,
    deadlineAt: given.isGone ? "" : timestamp(given.nowMs + given.clocks.stopSeconds * 1000),
    clockLeftMs: 0,
    inMotion: true,
    routed: false,
    url: "",
    reason: "",
    endsAt: "",
    stoppedAt: at,
    cause: { ...cause, at },
  };
}

/** Fields of the step to "gone from the backend". A failed server stays failed and only loses its clock. */
export function toGone(doc: Server, nowMs: number, cause: Cause) {
  const at = timestamp(nowMs);
  if (doc.phase === "failed") return { deadlineAt: "", clockLeftMs: 0, reason: "" };
  return {
    phase: "stopped" as const,
    phaseBefore: "",
    phaseAt: at,
    deadlineAt: "",
    clockLeftMs: 0,
    inMotion: true,
    routed: false,
    url: "",
    reason: "",
    endsAt: "",
    stoppedAt: at,
    cause,
  };
}
