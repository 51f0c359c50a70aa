import { type BusKeys, busKeys } from "@elara/runtime/bus/accounts/bus-keys";
import { keysFrom } from "@elara/runtime/keys";
import { makeHubSecrets, readCryptKeys, readHubSecret } from "./hub-secrets.ts";

/** The nkeys of a hub whose keys lie in its data directory; makes the hub's keys where there are none. */
export function ownBusKeys(dataDir: string): BusKeys {
  makeHubSecrets(dataDir, {});
  const keys = keysFrom({
    cookieSecret: readHubSecret(dataDir, "cookieSecret", ""),
    cryptKey: readCryptKeys(dataDir, ""),
  });
  return busKeys(keys.derive("bus"));
}
