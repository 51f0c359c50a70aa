import type { Bus } from "@elara/runtime/bus/bus";
import type { Clock } from "@elara/runtime/clock";
import type { HubConfig } from "@elara/runtime/config/hub";
import type { InstanceRow } from "@elara/runtime/instances";
import type { Liveness } from "@elara/runtime/liveness";
import type { InstanceId } from "@elara/runtime/service";
import type { PublishedUser } from "@elara/runtime/store/read/users";
import type { Logger } from "pino";
import type { Admission } from "./admission.ts";
import type { Backends } from "./backends.ts";
import type { SpawnConfig } from "./config.ts";
import type { ServerDoc } from "./decision.ts";
import type { Ledger } from "./ledger.ts";
import type { Pace } from "./pace.ts";
import type { ServerClocks } from "./phases.ts";
import type { ProfileBook } from "./profiles/profile-book.ts";
import type { StepLog } from "./steps.ts";

/** What every part of the service works with. Nothing is global. */
export interface SpawnParts {
  readonly instance: InstanceId;
  readonly row: Pick<InstanceRow, "fenced">;
  readonly liveness: Liveness;
  readonly config: SpawnConfig;
  readonly hub: HubConfig;
  readonly bus: Bus;
  readonly clock: Clock;
  readonly log: Logger;
  readonly pace: Pace;
  readonly ledger: Ledger;
  readonly steps: StepLog;
  readonly backends: Backends;
  readonly profiles: ProfileBook;
  /** A living user, by id. Throws STORE_AWAY. */
  readonly owner: (userId: string) => Promise<PublishedUser | undefined>;
  readonly admission: Admission;
  /** Key of the tags. */
  readonly tagKey: Buffer;
  /** A removed server leaves nothing behind; never throws. */
  readonly forget: (doc: ServerDoc) => Promise<void>;
  /** Something moves at this backend: look at it soon. */
  readonly lookSoon: (backend: string) => void;
}

/** The clocks of servers of this backend; those of the section where it is not configured any more. */
export const clocksOf = ({ backends, config }: SpawnParts, backend: string): ServerClocks =>
  backends.get(backend)?.clocks ?? config;

/** This instance as a driver. */
export const driverOf = ({ instance }: Pick<SpawnParts, "instance">) => ({
  instance: instance.id,
  epoch: instance.epoch,
});

/** Who acts when nobody ordered it. */
export const ACTOR = "system:spawn";
