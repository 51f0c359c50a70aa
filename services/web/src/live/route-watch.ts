import type { Server } from "@elara/contracts";
import type { Clock } from "@elara/runtime/clock";
import type { Liveness } from "@elara/runtime/liveness";
import { routesKnown } from "@elara/runtime/routes-known";

/** A browser is sent on after this long even when a proxy has not said that it knows the route. */
const PATIENCE_MS = 2000;
/** Proxies have read a change this old: no need to look. */
const OLD_MS = 15_000;

/** Knows whether the doors know the way to a server. */
export interface RouteWatch {
  /** Resolves when every live proxy has the route of this ready server, or after 2 s. Never throws. */
  known(server: Pick<Server, "changedAt">, signal?: AbortSignal): Promise<void>;
}

/** Watches `routesUpTo` of the live proxies' instance rows. */
export function routeWatch({ liveness, clock }: { liveness: Liveness; clock: Clock }): RouteWatch {
  return {
    async known({ changedAt }, signal) {
      if (clock.now() - Date.parse(changedAt) > OLD_MS) return;
      const patience = AbortSignal.timeout(PATIENCE_MS);
      await routesKnown(liveness, changedAt, signal ? AbortSignal.any([patience, signal]) : patience);
    },
  };
}
