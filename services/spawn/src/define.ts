import { defineService } from "@elara/runtime/service";
import { SpawnConfig } from "./config.ts";
import { profileFaults } from "./profiles/profile-faults.ts";
import { startSpawn } from "./service.ts";

/** The service `spawn`: the life of every server. */
export default defineService({
  name: "spawn",
  config: SpawnConfig,
  faults: ({ profiles }, spawners) => profileFaults(profiles, spawners),
  start: (context) => startSpawn(context),
});
