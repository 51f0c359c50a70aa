import { busConformance } from "../../src/bus/conformance.ts";
import { memoryBus, memoryNetwork } from "../../src/bus/memory.ts";
import { silentLog } from "../fixtures/log.ts";

busConformance("memory", async () => {
  const network = memoryNetwork();
  return {
    connect: async () => memoryBus({ log: silentLog, network }),
    down: async () => network.down(),
    up: async () => network.up(),
    close: async () => {},
  };
});
