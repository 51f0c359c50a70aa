import type { PublishedServer } from "@elara/runtime/store/read/servers";
import { failureOf } from "../models/failure.ts";
import { serverState } from "../models/server-state.ts";
import type { Reads } from "../reads.ts";
import type { RouteWatch } from "./route-watch.ts";
import type { ServerSignals } from "./server-signals.ts";

interface Waiting {
  readonly reads: Reads;
  readonly signals: ServerSignals;
  readonly routes: RouteWatch;
}

const LOOK_MS = 1000;
const REST_LOOK_MS = 25;

/** Looks at the ledger until `settled` answers, or time is up. */
async function waitUntil<T>(
  { reads, signals }: Waiting,
  serverId: string,
  timeoutMs: number,
  settled: (server: PublishedServer | undefined) => T | undefined,
  lookMs = LOOK_MS,
): Promise<T | undefined> {
  const end = performance.now() + timeoutMs;
  for (;;) {
    const left = end - performance.now();
    const news = signals.next(serverId, Math.max(0, Math.min(lookMs, left)));
    const result = settled(await reads.serverById(serverId));
    if (result !== undefined || left <= 0) return result;
    await news;
  }
}

/**
 * Waits for the start of this generation: "ready" when it is and the doors know the way, "pending" when time is up.
 * Throws the cause when it failed.
 */
export async function waitForStart(
  waiting: Waiting,
  start: { readonly serverId: string; readonly generation: number },
  timeoutMs: number,
): Promise<"ready" | "pending"> {
  const server = await waitUntil(waiting, start.serverId, timeoutMs, (doc) => {
    if (!doc || doc.generation < start.generation) return undefined;
    const isOver = doc.phase === "failed" || (doc.phase === "stopped" && doc.desired === "stopped");
    if (isOver) throw failureOf(doc);
    return serverState(doc).ready ? doc : undefined;
  });
  if (!server) return "pending";
  await waiting.routes.known(server);
  return "ready";
}

/**
 * Waits for the stop of this generation: true when it is stopped or gone and its token revoked, which is when it rests;
 * false when time is up.
 */
export async function waitForStop(
  waiting: Waiting,
  stop: { readonly serverId: string; readonly generation: number },
  timeoutMs: number,
): Promise<boolean> {
  const end = performance.now() + timeoutMs;
  const isNext = (doc: PublishedServer): boolean => doc.generation > stop.generation;
  const stopped = await waitUntil(waiting, stop.serverId, timeoutMs, (doc) =>
    !doc || isNext(doc) || !serverState(doc).active ? true : undefined,
  );
  if (stopped === undefined) return false;
  // No event tells of the rest, and it is near.
  const left = Math.max(0, end - performance.now());
  const resting = await waitUntil(
    waiting,
    stop.serverId,
    left,
    (doc) => (!doc || isNext(doc) || !doc.inMotion ? true : undefined),
    REST_LOOK_MS,
  );
  return resting ?? false;
}
