import { writeFileSync } from "node:fs";
import { resolve } from "node:path";
import { HubError } from "@elara/contracts";
import { isLoopback } from "@elara/proxy";
import { busKeys } from "@elara/runtime/bus/accounts/bus-keys";
import { serverConfiguration } from "@elara/runtime/bus/accounts/server-configuration";
import { hostOf } from "@elara/runtime/bus/host-of";
import { type CommandOptions, openSettings } from "../open-settings.ts";
import { say } from "../say.ts";
import { loadServices } from "../services.ts";
import { keysOf } from "../settings.ts";

export interface NatsConfigOptions extends CommandOptions {
  readonly listen: string;
  readonly store: string;
  readonly tlsCertificate?: string;
  readonly tlsKey?: string;
  readonly out?: string;
}

/** `elara nats config`: the nats-server's configuration for this hub, to standard output or a file. Makes the hub's keys where there are none. */
export async function natsConfig(options: NatsConfigOptions): Promise<void> {
  const { settings } = await openSettings(options, await loadServices(), []);
  const keys = busKeys(keysOf(settings, true).derive("bus"));
  const { listen, store: storeDir, tlsCertificate, tlsKey } = options;
  if ((tlsCertificate === undefined) !== (tlsKey === undefined))
    throw new HubError("FIELD_INVALID", { operator: "--tls-certificate and --tls-key go together." });
  const tls =
    tlsCertificate === undefined || tlsKey === undefined
      ? undefined
      : { certificate: resolve(tlsCertificate), key: resolve(tlsKey) };
  if (!tls && !isLoopback(hostOf(listen)))
    process.stderr.write(
      `elara: ${listen} is reached by others and there is no certificate: orders and tokens would travel in clear. Give --tls-certificate and --tls-key (\`elara cert --self-signed\` makes a pair to try), unless the network is closed.\n`,
    );
  const text = serverConfiguration(keys, { listen, storeDir, tls });
  if (options.out === undefined) {
    process.stdout.write(text);
    return;
  }
  const file = resolve(options.out);
  writeFileSync(file, text);
  say(`Wrote ${file}. Start it: nats-server -c ${file}`);
}
