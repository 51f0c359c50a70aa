import { existsSync, writeFileSync } from "node:fs";
import { resolve } from "node:path";
import { HubError } from "@elara/contracts";
import { configTemplate } from "../config-template.ts";
import { elaraCommand } from "../elara-command.ts";
import { makeHubSecrets } from "../hub-secrets.ts";
import { DEFAULT_DATA_DIR } from "../open-settings.ts";
import { say } from "../say.ts";
import { loadServices } from "../services.ts";

/** `elara init [FILE]`, `elara init --keys [DIR]`. Never overwrites: throws CONFIG_EXISTS. */
export async function init(name: string, options: { keys?: string | true }): Promise<void> {
  if (options.keys) {
    const dataDir = resolve(options.keys === true ? DEFAULT_DATA_DIR : options.keys);
    makeHubSecrets(dataDir, {});
    say(
      `The hub's keys are in ${dataDir}: cookie_secret and crypt_key. Copy both to every machine that runs a service.`,
    );
    return;
  }
  const file = resolve(name);
  if (existsSync(file))
    throw new HubError("CONFIG_EXISTS", {
      operator: `${file} exists and is left as it is. Move it away, or give another name.`,
    });
  writeFileSync(file, configTemplate(await loadServices()), { flag: "wx", mode: 0o644 });
  say(
    `Wrote ${file}. Nobody is let in yet: name an authenticator and an allow rule there, then run \`${elaraCommand()} check\`.`,
  );
}
