import { codeOf } from "@elara/contracts";
import { pause } from "@elara/runtime/pause";
import type { Logger } from "pino";

/** How long a start waits for a store that has only begun. */
const PATIENCE_MS = 30_000;
const AGAIN_MS = 1_000;

/** What has to be read or written before a service can start, tried again while the store is away; after 30 s STORE_AWAY. */
export async function withPatience<T>(
  work: () => Promise<T>,
  log: Pick<Logger, "warn">,
  { patienceMs = PATIENCE_MS, againMs = AGAIN_MS } = {},
): Promise<T> {
  const end = performance.now() + patienceMs;
  for (let isTold = false; ; isTold = true) {
    try {
      return await work();
    } catch (error) {
      if (codeOf(error) !== "STORE_AWAY" || performance.now() + againMs > end) throw error;
      if (!isTold) log.warn({ err: error, patienceMs }, "store does not answer yet, start waits");
      await pause(againMs);
    }
  }
}
