import type { Bus } from "@elara/runtime/bus/bus";
import type { Clock } from "@elara/runtime/clock";
import type { HubConfig } from "@elara/runtime/config/hub";
import type { Upstreams } from "@elara/runtime/http/upstreams";
import type { IdentityReader } from "@elara/runtime/store/read/identity";
import type { Logger } from "pino";
import type { ActivityFold } from "./activity/activity-fold.ts";
import type { WebConfig } from "./config.ts";
import type { OpenStreams } from "./live/open-streams.ts";
import type { RouteWatch } from "./live/route-watch.ts";
import type { ServerSignals } from "./live/server-signals.ts";
import type { Reads } from "./reads.ts";

/** What the routes of web work with; made once at the start, nothing is global. */
export interface WebDeps {
  readonly hub: HubConfig;
  readonly config: WebConfig;
  readonly bus: Bus;
  readonly reads: Reads;
  readonly activity: ActivityFold;
  readonly signals: ServerSignals;
  readonly routes: RouteWatch;
  /** Reads the revocation marks now, and looks again who somebody is. */
  readonly identities: Pick<IdentityReader, "refresh" | "again">;
  readonly streams: OpenStreams;
  readonly upstreams: Upstreams;
  readonly clock: Clock;
  readonly log: Logger;
  /** Names of the configured plugins, for `GET /info`. */
  readonly plugins: { readonly authenticator: string; readonly spawner: string };
}
