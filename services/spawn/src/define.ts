import { defineService } from "@elara/runtime/service";
import { SpawnConfig } from "./config.ts";
import { startSpawn } from "./service.ts";

/** The service `spawn`: the life of every server. */
export default defineService({
  name: "spawn",
  config: SpawnConfig,
  start: (context) => startSpawn(context),
});
