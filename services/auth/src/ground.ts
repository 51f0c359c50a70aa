import type { Bus } from "@elara/runtime/bus/bus";
import type { Clock } from "@elara/runtime/clock";
import type { HubConfig } from "@elara/runtime/config/hub";
import type { Store } from "@elara/runtime/store/store";
import type { Logger } from "pino";
import type { AuthConfig } from "./config.ts";
import type { Records } from "./records.ts";

/** What everything in auth stands on; made once at the start, nothing is global. */
export interface Ground {
  readonly hub: HubConfig;
  readonly config: AuthConfig;
  readonly bus: Bus;
  readonly store: Store;
  readonly records: Records;
  readonly clock: Clock;
  readonly log: Logger;
  /** An outbox was written: the relay looks now. */
  nudge(): void;
  /** When a user's tokens were last used, by public id; "" for never. What was seen a moment ago counts already. */
  lastUses(userId: string): Promise<(publicId: string) => string>;
  /** These credentials (digests) are no longer what they were: cached identities are dropped. */
  forget(digests: readonly string[]): void;
}
