import type { Logger } from "pino";
import { type Clock, systemClock } from "../clock.ts";
import type { Bus } from "./bus.ts";
import type { Faults } from "./faults.ts";
import { type MemoryNetwork, memoryNetwork } from "./memory-network.ts";
import { busOver } from "./over-wire.ts";
import { sqliteFacts } from "./sqlite-facts.ts";

export type { Faults } from "./faults.ts";
export { type MemoryNetwork, memoryNetwork } from "./memory-network.ts";

export interface MemoryBusOptions {
  /** Where facts are kept, `events.sqlite`; default: in memory. With `network`: as it was made. */
  readonly factsFile?: string;
  readonly log: Logger;
  /** Seeded loss, delay and duplication, for tests. */
  readonly faults?: Faults;
  /** Several buses over one network are like several processes on one server; default: a network of its own. */
  readonly network?: MemoryNetwork;
  readonly clock?: Clock;
}

/** The embedded bus. One object can serve all services of the process; nothing leaves it. Throws EVENTS_NOT_KEPT. */
export function memoryBus({ log, faults, factsFile, network, clock = systemClock }: MemoryBusOptions): Bus {
  if (network !== undefined) return busOver(network.wire(), { log, name: "hub" });
  const file = factsFile === undefined ? {} : { file: factsFile };
  const own = memoryNetwork(faults, sqliteFacts({ ...file, clock }));
  const bus = busOver(own.wire(), { log, name: "hub" });
  return {
    ...bus,
    get connected() {
      return bus.connected;
    },
    async close() {
      await bus.close();
      own.close();
    },
  };
}
