import type { Bus } from "@elara/runtime/bus/bus";
import type { Clock } from "@elara/runtime/clock";
import type { Liveness } from "@elara/runtime/liveness";
import type { Store } from "@elara/runtime/store/store";
import type { Logger } from "pino";
import type { CullerConfig } from "./config.ts";

/** What a sweep works with. */
export interface SweepParts {
  readonly config: CullerConfig;
  readonly store: Store;
  readonly bus: Bus;
  readonly liveness: Liveness;
  readonly log: Logger;
  readonly clock: Clock;
  /** Whether this replica does the work now. */
  readonly isHolder: () => boolean;
}
