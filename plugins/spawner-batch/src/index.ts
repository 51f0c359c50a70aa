import { spawnerPlugin } from "@elara/sdk";
import { batchSpawner } from "./batch.ts";
import { errors } from "./errors.ts";
import { handle } from "./handle.ts";
import { options } from "./options.ts";

/** Servers as jobs of a batch system, each under a launcher in its job. */
export default spawnerPlugin({
  name: "batch",
  options,
  handle,
  errors,
  // One listing for all servers, however many: people wait for the first row, the scheduler hardly notices.
  observeMs: { moving: 1_000, resting: 15_000 },
  // A busy scheduler answers a submit after half a minute, and nodes may have to be woken.
  clocks: { submitSeconds: 120, bootSeconds: 300 },
  setup: batchSpawner,
});
