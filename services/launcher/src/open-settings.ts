import { dirname, resolve } from "node:path";
import type { ServiceName } from "@elara/contracts";
import { evaluateConfig, findConfig } from "@elara/runtime/config/load";
import type { ServiceDefinition } from "@elara/runtime/service";
import { type Settings, settingsFrom } from "./settings.ts";
import { trialConfig, trialPassword } from "./trial.ts";

/** What most commands take from the command line. */
export interface CommandOptions {
  readonly config?: string;
  readonly data?: string;
  readonly port?: number;
  readonly internalPort?: number;
  readonly admin?: string;
}

export const DEFAULT_DATA_DIR = "elara-data";

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

const merged = (value: unknown, section: string, change: Record<string, unknown>): unknown => {
  const given = Object.fromEntries(Object.entries(change).filter(([, part]) => part !== undefined));
  if (!isRecord(value) || Object.keys(given).length === 0) return value;
  const before = value[section] ?? {};
  return isRecord(before) ? { ...value, [section]: { ...before, ...given } } : value;
};

/** The configuration to run: the file given or found, else trial mode; the command line's words on top. */
export async function openSettings(
  options: CommandOptions,
  services: readonly ServiceDefinition[],
  forServices?: readonly ServiceName[],
): Promise<{ settings: Settings; isTrial: boolean }> {
  const found = findConfig(options.config);
  const dataDir = options.data === undefined ? undefined : resolve(options.data);
  let written: unknown;
  let file = found;
  if (found) {
    written = anchoredTls(anchoredDataDir(await evaluateConfig(found), dirname(found)), dirname(found));
    written = merged(written, "hub", { dataDir });
  } else {
    const trialDir = dataDir ?? resolve(DEFAULT_DATA_DIR);
    file = resolve("trial mode");
    trialPassword(trialDir);
    written = trialConfig({ dataDir: trialDir, admin: options.admin });
  }
  written = merged(written, "network", { port: options.port, internalPort: options.internalPort });
  const settings = await settingsFrom(written, {
    file: file ?? "",
    services,
    ...(forServices ? { forServices } : {}),
  });
  return { settings, isTrial: !found };
}

/** The files of `network.tls` and `bus.tls` count from the configuration's folder too. */
function anchoredTls(written: unknown, folder: string): unknown {
  if (!isRecord(written)) return written;
  const sections = ["network", "bus"].flatMap((name) => {
    const section = written[name];
    if (!isRecord(section) || !isRecord(section.tls)) return [];
    const tls = Object.fromEntries(
      Object.entries(section.tls).map(([key, file]) => [
        key,
        typeof file === "string" && file !== "" ? resolve(folder, file) : file,
      ]),
    );
    return [[name, { ...section, tls }]];
  });
  return { ...written, ...Object.fromEntries(sections) };
}

/** `hub.dataDir` counts from the configuration's folder, wherever the hub is started. */
function anchoredDataDir(written: unknown, folder: string): unknown {
  if (!isRecord(written)) return written;
  const hub = written.hub ?? {};
  if (!isRecord(hub)) return written;
  const dataDir = hub.dataDir ?? DEFAULT_DATA_DIR;
  return typeof dataDir === "string"
    ? { ...written, hub: { ...hub, dataDir: resolve(folder, dataDir) } }
    : written;
}
