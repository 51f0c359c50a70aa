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

/** Looks at the ledger until `settled` answers, or time is up. */
async function waitUntil<T>(
  { reads, signals }: Waiting,
  serverId: string,
  timeoutMs: number,
  settled: (server: PublishedServer | undefined) => T | undefined,
): Promise<T | undefined> {
  const end = performance.now() + timeoutMs;
  for (;;) {
    const left = end - performance.now();
    const news = signals.next(serverId, Math.max(0, Math.min(LOOK_MS, left)));
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

/** Waits for the stop of a server: true when it is stopped or gone, false when time is up. */
export async function waitForStop(waiting: Waiting, serverId: string, timeoutMs: number): Promise<boolean> {
  const stopped = await waitUntil(waiting, serverId, timeoutMs, (doc) =>
    !doc || !serverState(doc).active ? true : undefined,
  );
  return stopped ?? false;
}
