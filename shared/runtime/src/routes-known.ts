import type { Liveness } from "./liveness.ts";
import { pause } from "./pause.ts";

const LOOK_MS = 50;

/**
 * True once every living proxy says it knows the routes up to `changedAt`; false when the signal ends the waiting. A
 * hint: a proxy that lags reads the route from the store on its first miss. Never throws.
 */
export async function routesKnown(
  liveness: Pick<Liveness, "live" | "refresh">,
  changedAt: string,
  until: AbortSignal,
): Promise<boolean> {
  for (;;) {
    if (liveness.live("proxy").every((proxy) => proxy.routesUpTo >= changedAt)) return true;
    if (until.aborted) return false;
    await pause(LOOK_MS, until);
    // While the store is away the rows stay what they were.
    await liveness.refresh().catch(() => undefined);
  }
}
