import type { Logger } from "pino";
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
}

/** The embedded bus. One object can serve all services of the process; nothing leaves it. */
export function memoryBus({ log, faults, factsFile, network }: MemoryBusOptions): Bus {
  if (network !== undefined) return busOver(network.wire(), { log, name: "hub" });
  const own = memoryNetwork(faults, sqliteFacts(factsFile === undefined ? {} : { file: factsFile }));
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
