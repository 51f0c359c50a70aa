import { pino } from "pino";
import { busConformance } from "../src/bus/conformance.ts";
import { memoryBus, memoryNetwork } from "../src/bus/memory.ts";

const log = pino({ level: "silent" });

busConformance("memory", async () => {
  const network = memoryNetwork();
  return {
    connect: async () => memoryBus({ log, network }),
    down: async () => network.down(),
    up: async () => network.up(),
    close: async () => {},
  };
});
