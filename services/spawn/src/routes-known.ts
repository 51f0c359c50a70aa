import type { SpawnParts } from "./parts.ts";
import { pause } from "./probe.ts";

const LOOK_MS = 50;

/**
 * Resolves once every living proxy says it knows the routes up to `changedAt`, or after two seconds: a proxy that lags
 * reads the route from the store on its first miss.
 */
export async function waitForRoute(
  parts: Pick<SpawnParts, "liveness" | "pace" | "log">,
  changedAt: string,
): Promise<boolean> {
  const limit = AbortSignal.timeout(parts.pace.routeMs);
  for (;;) {
    await parts.liveness
      .refresh()
      .catch((error: unknown) => parts.log.debug({ err: error }, "proxies not read"));
    if (parts.liveness.live("proxy").every((proxy) => proxy.routesUpTo >= changedAt)) return true;
    if (limit.aborted) return false;
    await pause(LOOK_MS, limit);
  }
}
