import type { Step } from "@elara/contracts";
import type { PublishedServer } from "@elara/runtime/store/read/servers";
import type { Reads } from "../reads.ts";
import type { ServerSignals } from "./server-signals.ts";

const LOOK_MS = 1000;

/** What is known of a start at one moment. */
export interface Moment {
  readonly server: PublishedServer;
  /** All steps of the current attempt so far. */
  readonly steps: readonly Step[];
}

/**
 * Follows a server by its ledger: one moment at once, then one after each news or second, until aborted or the server
 * is gone. A store that is away for a while only delays the next moment.
 */
export async function* followStart(
  { reads, signals }: { readonly reads: Reads; readonly signals: ServerSignals },
  serverId: string,
  signal: AbortSignal,
): AsyncGenerator<Moment> {
  while (!signal.aborted) {
    const news = signals.next(serverId, LOOK_MS, signal);
    const moment = await look(reads, serverId);
    if (moment === "gone") return;
    if (moment !== "away") yield moment;
    await news;
  }
}

async function look(reads: Reads, serverId: string): Promise<Moment | "gone" | "away"> {
  try {
    const server = await reads.serverById(serverId);
    if (!server) return "gone";
    return { server, steps: await reads.steps(server) };
  } catch {
    return "away";
  }
}
