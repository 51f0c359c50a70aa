import { writeFileSync } from "node:fs";
import { resolve } from "node:path";
import { busKeys } from "@elara/runtime/bus/accounts/bus-keys";
import { serverConfiguration } from "@elara/runtime/bus/accounts/server-configuration";
import { type CommandOptions, openSettings } from "../open-settings.ts";
import { say } from "../say.ts";
import { loadServices } from "../services.ts";
import { keysOf } from "../settings.ts";

export interface NatsConfigOptions extends CommandOptions {
  readonly listen: string;
  readonly store: string;
  readonly out?: string;
}

/** `elara nats config`: the nats-server's configuration for this hub, to standard output or a file. Makes the hub's keys where there are none. */
export async function natsConfig(options: NatsConfigOptions): Promise<void> {
  const { settings } = await openSettings(options, await loadServices(), []);
  const keys = busKeys(keysOf(settings, true).derive("bus"));
  const text = serverConfiguration(keys, { listen: options.listen, storeDir: options.store });
  if (options.out === undefined) {
    process.stdout.write(text);
    return;
  }
  const file = resolve(options.out);
  writeFileSync(file, text);
  say(`Wrote ${file}. Start it: nats-server -c ${file}`);
}
