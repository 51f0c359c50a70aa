import { spawnerPlugin } from "@elara/sdk";
import { dockerSpawner } from "./docker.ts";
import { errors } from "./errors.ts";
import { handle } from "./handle.ts";
import { options } from "./options.ts";

/** Servers as containers, each found by its name at the engine. */
export default spawnerPlugin({
  name: "docker",
  options,
  handle,
  errors,
  // A listing costs the engine milliseconds, and people wait for it.
  observeMs: { moving: 500, resting: 10_000 },
  // A busy engine takes long to make a container; a pull tells its steps besides.
  clocks: { submitSeconds: 120 },
  setup: dockerSpawner,
});
