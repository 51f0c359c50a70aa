import { spawnerPlugin } from "@elara/sdk";
import { errors } from "./errors.ts";
import { handle } from "./handle.ts";
import { localSpawner } from "./local.ts";
import { options } from "./options.ts";

/** Servers as processes on this machine, each under a launcher of its own that outlives the hub. */
export default spawnerPlugin({
  name: "local",
  options,
  handle,
  errors,
  // Reading a few small files is cheap, and people wait for it.
  observeMs: { moving: 150, resting: 5_000 },
  setup: localSpawner,
});
