import { holdLease } from "@elara/runtime/lease";
import { defineService } from "@elara/runtime/service";
import { CullerConfig } from "./config.ts";
import { endsAny, limitFaults } from "./limits.ts";
import { startSweep } from "./sweep.ts";

/** Culler: decides which servers are idle or too old, and asks spawn to stop them. One of all replicas does it. */
export const culler = defineService({
  name: "culler",
  config: CullerConfig,
  faults: limitFaults,
  async start({ config, row, store, liveness, bus, log, clock }) {
    if (!config.enabled || !endsAny(config)) return { close: async () => undefined };
    const lease = await holdLease({ store, name: "culler", instance: row, liveness, log, clock });
    const sweep = startSweep({ config, store, bus, liveness, log, clock, isHolder: () => lease.held() });
    return {
      async close() {
        await sweep.close();
        await lease.close();
      },
    };
  },
});
