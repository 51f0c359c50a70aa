import { spawnerPlugin } from "@elara/sdk";
import { errors } from "./errors.ts";
import { handle } from "./handle.ts";
import { options } from "./options.ts";
import { sshSpawner } from "./spawner.ts";

/** Servers as processes on other machines, each under a launcher that is sent over and outlives hub and connection. */
export default spawnerPlugin({
  name: "ssh",
  options,
  handle,
  errors,
  // A command over an open connection takes some 0.1 s of the machine.
  observeMs: { moving: 1_000, resting: 15_000 },
  setup: sshSpawner,
});
