import { after } from "node:test";
import { slurmMissing, startSlurm } from "@elara/beds/slurm";
import { spawnerConformance } from "@elara/sdk/testing";
import plugin from "../src/index.ts";

const missing = slurmMissing();
if (missing) spawnerConformance(plugin, { skip: missing });
else {
  const bed = await startSlurm();
  after(() => bed.close());
  spawnerConformance(plugin, {
    away: async () => {
      await bed.controller.stop();
      return () => bed.controller.start();
    },
    module: import.meta.resolve("../src/index.ts"),
    // All users of the suite are one account here: what differs is the tag.
    options: { transport: "sudo", user: bed.accounts[0], environment: { ...bed.env } },
  });
}
