import type { Logger } from "pino";
import type { Bus } from "./bus.ts";
import type { Faults } from "./faults.ts";
import { type MemoryNetwork, memoryNetwork } from "./memory-network.ts";
import { busOver } from "./over-wire.ts";

export type { Faults } from "./faults.ts";
export { type MemoryNetwork, memoryNetwork } from "./memory-network.ts";

export interface MemoryBusOptions {
  readonly log: Logger;
  /** Seeded loss, delay and duplication, for tests. */
  readonly faults?: Faults;
  /** Several buses over one network are like several processes on one server; default: a network of its own. */
  readonly network?: MemoryNetwork;
}

/** The embedded bus. One object can serve all services of the process; nothing leaves it. */
export const memoryBus = ({ log, faults, network = memoryNetwork(faults) }: MemoryBusOptions): Bus =>
  busOver(network.wire(), { log, name: "hub" });
