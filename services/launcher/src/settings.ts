import { createHash } from "node:crypto";
import { resolve } from "node:path";
import { HubError, type ServiceName } from "@elara/contracts";
import { type Fault, faultsOf } from "@elara/runtime/config/faults";
import { type HubConfig, HubSection, NetworkSection } from "@elara/runtime/config/hub";
import { configInvalid } from "@elara/runtime/config/load";
import { withDefaults, withSecrets } from "@elara/runtime/config/resolve";
import {
  AuthenticatorEntry,
  BusSection,
  configSchema,
  LogSection,
  type PluginEntry,
  SecretsSection,
  SpawnerEntry,
  StoreSection,
  writtenSchema,
} from "@elara/runtime/config/schema";
import { type Keys, keysFrom } from "@elara/runtime/keys";
import { type BuiltIns, loadPlugin } from "@elara/runtime/plugins/load";
import type {
  Configured,
  ConfiguredAuthenticator,
  ConfiguredSpawner,
  ServiceDefinition,
} from "@elara/runtime/service";
import type { AuthPlugin, SpawnerPlugin } from "@elara/sdk";
import { type Static, type TSchema, Type } from "typebox";
import { Value } from "typebox/value";
import * as builtIns from "./built-ins.ts";
import {
  configuredCryptKey,
  hubSecretsExist,
  makeHubSecrets,
  readCryptKeys,
  readHubSecret,
} from "./hub-secrets.ts";
import { profileSlugs, withLongEntries, withSystemAccounts } from "./plugin-entries.ts";

/** A checked configuration with defaults; secrets are references still. */
export interface Settings {
  readonly file: string;
  readonly hub: Omit<HubConfig, "hubId">;
  readonly bus: Static<typeof BusSection>;
  readonly log: Static<typeof LogSection>;
  readonly sections: Readonly<Record<string, unknown>>;
  readonly schema: TSchema;
  readonly authenticators: readonly ConfiguredAuthenticator[];
  readonly spawners: readonly ConfiguredSpawner[];
  /** Tells two processes with different configurations apart. */
  readonly digest: string;
}

const Common = Type.Object({ hub: HubSection, network: NetworkSection, bus: BusSection, log: LogSection });
const Plugins = Type.Object({
  authenticators: Type.Array(AuthenticatorEntry),
  spawners: Type.Array(SpawnerEntry),
});

const line = ({ path, message }: Fault): string => {
  const isBesideUse =
    /^(authenticators|spawners)\[\d+\]\.[^.[]+$/.test(path) && message.startsWith("unknown key");
  return `${path}: ${message}${isBesideUse ? "; options of a plugin go under `options`" : ""}`;
};

/**
 * Checks what an administrator wrote, loads the plugins it names, fills in defaults.
 * Throws CONFIG_INVALID with all faults at once, those of plugins that are missing or broken among them.
 */
export async function settingsFrom(
  written: unknown,
  given: { file: string; services: readonly ServiceDefinition[]; forServices?: readonly ServiceName[] },
): Promise<Settings> {
  const schema = configSchema(given.services);
  const entered = withLongEntries(written);
  const faults = faultsOf(writtenSchema(schema), entered).map(line);
  const filled = withDefaults(schema, entered);
  const wants = (service: ServiceName): boolean => given.forServices?.includes(service) ?? true;
  const load = <K extends "spawner" | "authenticator">(
    kind: K,
    builtIn: BuiltIns,
    entries: readonly Static<typeof PluginEntry>[],
  ) =>
    Promise.all(
      entries.map(async ({ use, name, options = {}, ...more }, index) => {
        const plugin = await loadPlugin(kind, use, { builtIns: builtIn, configFile: given.file }).catch(
          (error: unknown) => {
            if (!(error instanceof HubError)) throw error;
            faults.push(`${kind}s[${index}].use: ${error.code}: ${error.operator}`);
            return undefined;
          },
        );
        if (!plugin) return [];
        faults.push(
          ...faultsOf(writtenSchema(plugin.options), options, `${kind}s[${index}].options`).map(line),
        );
        const filledOptions = withDefaults(plugin.options, options) as Record<string, unknown>;
        return [{ ...more, name: name ?? plugin.name, plugin, options: filledOptions }];
      }),
    ).then((loaded) => loaded.flat());
  // A fault elsewhere does not keep the plugins' own faults from being told.
  const named = Value.Check(Plugins, filled) ? filled : { authenticators: [], spawners: [] };
  const authenticators = wants("auth")
    ? await load("authenticator", builtIns.authenticators, named.authenticators)
    : [];
  if (wants("spawn") && Value.Check(Plugins, filled) && named.spawners.length === 0)
    faults.push('spawners: is empty, so nobody can start a server; name one, e.g. ["local"]');
  const loaded = wants("spawn") ? await load("spawner", builtIns.spawners, named.spawners) : [];
  const spawners = withSystemAccounts(loaded, {
    // By what is configured, not by what this process loads: spawn may run apart from auth.
    isPam: named.authenticators.some(({ use }) => use === "pam"),
    said: named.spawners.map(({ options = {} }) => options),
    isRoot: process.getuid?.() === 0,
  });
  for (const [kind, list] of Object.entries({ authenticators, spawners })) {
    const names = list.map(({ name }) => name);
    const twice = names.find((name, index) => names.indexOf(name) !== index);
    if (twice) faults.push(`${kind}: two are named "${twice}"; give each its own \`name\``);
  }
  // Names are held against each other only where all of them are known.
  const isWhole = wants("spawn") && loaded.length === named.spawners.length;
  const slugs = profileSlugs(filled, spawners);
  for (const { name, faults: more } of isWhole ? given.services : []) {
    if (!more || faults.some((fault) => fault.startsWith(name))) continue;
    for (const { path, message } of more(Object(filled)[name], spawners, slugs))
      faults.push(`${name}.${path}: ${message}`);
  }
  if (faults.length > 0 || !Value.Check(Common, filled)) {
    throw configInvalid(given.file, faults.length > 0 ? faults : ["(root): must be an object with sections"]);
  }
  return {
    file: given.file,
    hub: { ...filled.hub, dataDir: resolve(filled.hub.dataDir), network: withInternalUrl(filled.network) },
    bus: filled.bus,
    log: filled.log,
    sections: { ...filled },
    schema,
    authenticators,
    spawners,
    digest: createHash("sha256").update(JSON.stringify(filled)).digest("hex").slice(0, 16),
  };
}

function withInternalUrl(network: Static<typeof NetworkSection>): Static<typeof NetworkSection> {
  if (network.internalUrl) return network;
  const host = network.internalHost === "0.0.0.0" ? "127.0.0.1" : network.internalHost;
  return { ...network, internalUrl: `http://${host}:${network.internalPort}` };
}

/** One section with its secrets in clear, for the service that owns it. */
export function resolved<S extends TSchema>(settings: Settings, name: string, schema: S): Static<S> {
  const value = withSecrets(schema, settings.sections[name], settings.file, name);
  return value as Static<S>;
}

/** A plugin with the secrets of its options in clear; `path` is where it stands in the configuration. */
export const resolvedPlugin = <E extends Configured<AuthPlugin | SpawnerPlugin>>(
  settings: Settings,
  path: string,
  entry: E,
): E => ({
  ...entry,
  options: withSecrets(entry.plugin.options, entry.options, settings.file, `${path}.options`),
});

/** The hub's keys. `make`: make missing ones in the data directory; else a missing one stops the start. */
export function keysOf(settings: Settings, make: boolean): Keys {
  const written = resolved(settings, "secrets", SecretsSection);
  const secrets = { ...written, cryptKey: configuredCryptKey(written.cryptKey) };
  const { dataDir } = settings.hub;
  if (make) makeHubSecrets(dataDir, secrets);
  return keysFrom({
    cookieSecret: readHubSecret(dataDir, "cookieSecret", secrets.cookieSecret),
    cryptKey: readCryptKeys(dataDir, secrets.cryptKey),
  });
}

/** Whether both keys are there. Throws CONFIG_SECRET_MISSING for a crypt key that is given and is none. */
export const hasHubSecrets = (settings: Settings): boolean => {
  const { cookieSecret, cryptKey: written } = resolved(settings, "secrets", SecretsSection);
  const cryptKey = configuredCryptKey(written);
  if (cryptKey) readCryptKeys(settings.hub.dataDir, cryptKey);
  return hubSecretsExist(settings.hub.dataDir, { cookieSecret, cryptKey });
};

/** Names of the crypt keys, the one that encrypts first; none where a start would make one. Throws CONFIG_SECRET_MISSING. */
export function cryptKeyNames(settings: Settings): string[] {
  const { dataDir } = settings.hub;
  const cryptKey = configuredCryptKey(resolved(settings, "secrets", SecretsSection).cryptKey);
  if (!hubSecretsExist(dataDir, { cookieSecret: "not asked", cryptKey })) return [];
  const keys = keysFrom({ cookieSecret: Buffer.alloc(0), cryptKey: readCryptKeys(dataDir, cryptKey) });
  return keys.authStateRing.map(({ kid }) => kid);
}

/** The file of the embedded store. */
export const sqliteFile = ({ hub }: Settings, file: string): string => file || `${hub.dataDir}/hub.sqlite`;

/** Where state is kept. Throws CONFIG_INVALID when MongoDB has no address. */
export function storeSettings(settings: Settings): Static<typeof StoreSection> {
  const store = resolved(settings, "store", StoreSection);
  if (store.use === "mongo" && !store.uri)
    throw configInvalid(settings.file, [
      "store.uri: is missing; give MongoDB's address as { env } or { file }",
    ]);
  return store;
}
