import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { HubError } from "@elara/contracts";
import type { Clock } from "@elara/runtime/clock";
import { faultsOf } from "@elara/runtime/config/faults";
import { closeAll } from "@elara/runtime/plugins/close-all";
import { pluginFaultWords, secretsIn } from "@elara/runtime/plugins/fault-words";
import type { ConfiguredSpawner } from "@elara/runtime/service";
import type { Spawner, SpawnerHost, SpawnerPlugin } from "@elara/sdk";
import type { Logger } from "pino";
import { Value } from "typebox/value";
import { SpawnConfig } from "./config.ts";
import type { ServerClocks } from "./phases.ts";
import { fittingOptions } from "./profiles/fitting-options.ts";
import { namesOption, optionsRefused } from "./profiles/plugin-rules.ts";

type Options = Record<string, unknown>;
type Handle = Record<string, unknown>;

/** One configured spawner, set up. */
export interface Backend {
  /** Name in the ledger. */
  readonly name: string;
  readonly plugin: SpawnerPlugin;
  readonly spawner: Spawner<Options, Handle>;
  readonly observeMs: { readonly moving: number; readonly resting: number };
  /** Program and first arguments of its servers. */
  readonly command: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  readonly clocks: ServerClocks;
  /** Options as the administrator configured them. */
  readonly configured: Options;
  /** Configuration overlaid with these, defaults filled in. Throws SPAWN_OPTIONS_INVALID, which names the option. */
  options(over: Options): Options;
  /** Holds whole options to the plugin's own rules. Throws its error, with `field` where an option is wrong. */
  check(options: Options, signal: AbortSignal): Promise<void>;
  /** The hub's API as its servers reach it. */
  apiUrl(): Promise<string>;
  /** The handle as it is stored: plain JSON. Throws PLUGIN_INVALID when it does not fit the plugin's own schema. */
  handle(returned: unknown): Handle;
}

export interface Backends {
  get(name: string): Backend | undefined;
  /** The one that is used when nothing else is asked for. */
  readonly first: Backend;
  readonly list: readonly Backend[];
  /** Runs what plugins left for their end; servers are not touched. */
  close(): Promise<void>;
}

interface BackendsOptions {
  readonly configured: readonly ConfiguredSpawner[];
  /** What entries do not say of themselves. */
  readonly config: SpawnConfig;
  readonly dataDir: string;
  readonly hubId: string;
  /** What plugins are told as `host.apiUrl`. */
  readonly apiUrl: string;
  /** What plugins are told as `host.internalHost`. */
  readonly internalHost: string;
  readonly log: Logger;
  readonly clock: Clock;
}

/**
 * Sets every configured spawner up, once. Throws PLUGIN_INVALID when there is none, CONFIG_INVALID for an option that a
 * plugin refuses, else what it threw.
 */
export async function openBackends({
  configured,
  config,
  dataDir,
  hubId,
  apiUrl,
  internalHost,
  log,
  clock,
}: BackendsOptions): Promise<Backends> {
  const closers: (() => void | Promise<void>)[] = [];
  const list: Backend[] = [];
  for (const [index, given] of configured.entries()) {
    const folder = join(dataDir, "spawners", given.name);
    const { plugin, options } = given;
    const host: SpawnerHost = {
      log: log.child({ plugin: given.name }),
      dataDir: folder,
      hubId,
      apiUrl,
      internalHost,
      now: () => clock.now(),
      onClose: (close) => void closers.push(close),
    };
    const setUp = async () => {
      await mkdir(folder, { recursive: true, mode: 0o700 });
      return plugin.setup(options, host);
    };
    const spawner = await setUp().catch(async (error: unknown) => {
      await closeAll(closers, log);
      if (!namesOption(error)) throw error;
      const secrets = secretsIn(plugin.options, options);
      const place = { path: `spawners[${index}].options`, errors: plugin.errors, secrets };
      throw optionsRefused([pluginFaultWords(error, place)], error);
    });
    list.push(backendOf(given, { spawner, config, apiUrl }));
  }
  const [first] = list;
  if (first === undefined)
    throw new HubError("PLUGIN_INVALID", { operator: "No spawner is configured: add one to `spawners`." });
  return {
    first,
    list,
    get: (name) => list.find((backend) => backend.name === name),
    close: () => closeAll(closers, log),
  };
}

function backendOf(
  given: ConfiguredSpawner,
  { spawner, config, apiUrl }: { spawner: Spawner<Options, Handle>; config: SpawnConfig; apiUrl: string },
): Backend {
  const { plugin } = given;
  return {
    name: given.name,
    plugin,
    spawner,
    observeMs: plugin.observeMs ?? { moving: 2_000, resting: 15_000 },
    command: given.command ?? config.command,
    environment: { ...config.environment, ...given.environment },
    clocks: clocksOf(given, config),
    configured: given.options,
    options(over) {
      const { options, fault } = fittingOptions(plugin, { ...given.options, ...over });
      if (fault) {
        const [field = ""] = fault.path.split(/[.[]/);
        throw new HubError("SPAWN_OPTIONS_INVALID", {
          message: `The option "${fault.path}" ${fault.message}.`,
          field,
        });
      }
      return options;
    },
    async check(options, signal) {
      await spawner.checkOptions?.(options, { signal });
    },
    apiUrl: async () => (spawner.apiUrl ? (await spawner.apiUrl()).replace(/\/$/, "") : apiUrl),
    handle(returned) {
      const handle: unknown = JSON.parse(JSON.stringify(returned) ?? "null");
      const [fault] = faultsOf(plugin.handle, handle);
      if (fault || !isObject(handle) || Object.keys(handle).length === 0)
        throw new HubError("PLUGIN_INVALID", {
          message: "Your server could not be started.",
          operator: `The spawner "${given.name}" returned a handle that does not fit its own schema: ${fault?.path ?? ""} ${fault?.message ?? "it is empty"}.`,
        });
      return handle;
    },
  };
}

/** Of its entry; else what the section sets otherwise than by default; else of its plugin; else the default. */
function clocksOf({ clocks, plugin }: ConfiguredSpawner, config: SpawnConfig): ServerClocks {
  const clock = (name: keyof ServerClocks): number => {
    const isSet = config[name] !== Value.Create(SpawnConfig.properties[name]);
    return clocks?.[name] ?? (isSet ? undefined : plugin.clocks?.[name]) ?? config[name];
  };
  return {
    submitSeconds: clock("submitSeconds"),
    bootSeconds: clock("bootSeconds"),
    httpSeconds: clock("httpSeconds"),
    stopSeconds: clock("stopSeconds"),
    graceSeconds: clock("graceSeconds"),
  };
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);
