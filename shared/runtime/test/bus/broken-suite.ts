import { busConformance } from "../../src/bus/conformance.ts";
import { memoryNetwork } from "../../src/bus/memory.ts";
import { busOver } from "../../src/bus/over-wire.ts";
import { silentLog } from "../fixtures/log.ts";
import { BREAKAGES } from "./broken-wire.ts";

// Run by conformance.test.ts in a process of its own, with the breakage named in BREAKAGE, or none.
const breakage = BREAKAGES[process.env.BREAKAGE ?? ""];

busConformance("broken copy", async () => {
  const network = memoryNetwork();
  return {
    async connect() {
      const sound = network.wire();
      return busOver(breakage?.wire(sound) ?? sound, { log: silentLog, name: "suite" });
    },
    down: async () => network.down(),
    up: async () => network.up(),
    close: async () => {},
  };
});
