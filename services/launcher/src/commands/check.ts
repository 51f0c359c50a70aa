import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { HubError } from "@elara/contracts";
import { apiUrlOf } from "@elara/runtime/config/hub";
import { callbackPaths } from "@elara/runtime/http/paths";
import { closeAll } from "@elara/runtime/plugins/close-all";
import { faultWords, hiding, pluginFaultWords, secretsIn } from "@elara/runtime/plugins/fault-words";
import type { Configured, ServiceDefinition } from "@elara/runtime/service";
import { isLocal, sharedAccountWarning } from "@elara/runtime/shared-account";
import type { AuthPlugin, SpawnerHost, SpawnerPlugin } from "@elara/sdk";
import {
  bounded,
  type Offer,
  offerFaults,
  type ProfileEntry,
  profileRuleFaults,
  type Ruled,
  type SpawnConfig,
  valueFaults,
} from "@elara/spawn";
import { pino } from "pino";
import { keptNote } from "../kept-check.ts";
import { type CommandOptions, openSettings } from "../open-settings.ts";
import { profileSlugs } from "../plugin-entries.ts";
import { pluginNotes } from "../plugin-notes.ts";
import { type Place, portNote } from "../port-check.ts";
import { findEnvironment, findPython } from "../python-environment.ts";
import { allowRule, busInClear, certificate, distinctPorts, publicAddress, serverAccount } from "../rules.ts";
import { say } from "../say.ts";
import { loadServices } from "../services.ts";
import {
  hasHubSecrets,
  keysOf,
  resolved,
  resolvedPlugin,
  type Settings,
  storeSettings,
} from "../settings.ts";
import { reachTelemetry } from "../telemetry-check.ts";

/** `elara check`: every finding at once, exit code 1 when one is a fault. Starts nothing, writes nothing that stays. */
export async function check(options: CommandOptions): Promise<void> {
  const services = await loadServices();
  const { settings, isTrial } = await openSettings(options, services);
  say(`Checking ${isTrial ? "trial mode (no elara.config.ts here)" : settings.file}\n`);
  let faults = 0;
  const look = async (what: string, work: () => unknown, tell = faultWords): Promise<void> => {
    try {
      const note = await work();
      say(`  ok     ${what}${typeof note === "string" && note !== "" ? `: ${note}` : ""}`);
    } catch (error) {
      faults++;
      say(`  FAULT  ${what}: ${tell(error)}`);
    }
  };
  const secret: string[] = [];
  const note = (what: string, words: string): void => say(`  note   ${what}: ${words}`);
  const notes = pluginNotes();
  const lookAtPlugin = async (
    what: string,
    { path, plugin }: { path: string; plugin: AuthPlugin | SpawnerPlugin },
    work: () => unknown,
  ): Promise<void> => {
    const place = { path: `${path}.options`, errors: plugin.errors, secrets: secret };
    await look(what, work, (error) => pluginFaultWords(error, place));
    for (const words of notes.taken()) note(what, hiding(secret)(words));
  };
  const inClear = <E extends Configured<AuthPlugin | SpawnerPlugin>>(path: string, entry: E): E => {
    const clear = resolvedPlugin(settings, path, entry);
    secret.push(...secretsIn(clear.plugin.options, clear.options));
    return clear;
  };
  await look("configuration", () => "no unknown keys, no wrong types");
  await look("who gets in", () => allowRule(settings));
  await look("secrets", () => secrets(settings));
  for (const service of services) await look(`section ${service.name}`, () => section(settings, service));
  await look("public address", () => publicAddress(settings));
  await look("certificate", () => certificate(settings));
  const { network } = settings.hub;
  const key = doorKey(settings);
  let runs = false;
  const lookAtPort = (place: Place, rule?: () => void) =>
    look(`port ${place.port}`, async () => {
      rule?.();
      const held = await portNote(place, key);
      runs ||= held !== undefined;
      return held;
    });
  const { host: outer, port, internalHost: inner, internalPort, redirectPort } = network;
  await lookAtPort({ host: outer, port, option: "network.port (--port)" });
  await lookAtPort(
    { host: inner, port: internalPort, option: "network.internalPort (--internal-port)" },
    () => distinctPorts(settings),
  );
  if (redirectPort > 0) await lookAtPort({ host: outer, port: redirectPort, option: "network.redirectPort" });
  await look("store", () => reachStore(settings));
  await look("kept log-ins", () => keptNote(settings, runs));
  await look("bus", () => reachBus(settings));
  await look("telemetry", () => reachTelemetry(settings));
  const scratch = mkdtempSync(join(tmpdir(), "elara-check-"));
  const closers: (() => unknown)[] = [];
  const host: SpawnerHost = {
    log: notes.log,
    dataDir: scratch,
    hubId: "check",
    apiUrl: apiUrlOf(settings.hub),
    internalHost: settings.hub.network.internalHost,
    now: () => Date.now(),
    onClose: (close) => void closers.push(close),
  };
  const bringing: string[] = [];
  for (const [index, entry] of settings.authenticators.entries()) {
    const path = `authenticators[${index}]`;
    await lookAtPlugin(`authenticator ${entry.name}`, { path, plugin: entry.plugin }, async () => {
      const { plugin, options } = inClear(path, entry);
      const own = {
        ...host,
        callbackPaths: callbackPaths(settings.hub, entry.name, index === 0),
        publicUrl: settings.hub.publicUrl,
      };
      const authenticator = await plugin.setup(options, own);
      if (authenticator.preSpawn) bringing.push(entry.name);
      await authenticator.check?.();
    });
  }
  const offers = new Map<string, Offer>();
  const ruled: Ruled[] = [];
  const servers: Partial<SpawnConfig> = settings.sections.spawn ?? {};
  for (const [index, entry] of settings.spawners.entries()) {
    const { name } = entry;
    const path = `spawners[${index}]`;
    await lookAtPlugin(`spawner ${name}`, { path, plugin: entry.plugin }, async () => {
      const { plugin, options } = inClear(path, entry);
      const spawner = await plugin.setup(options, host);
      await inTime("checkOptions", FORM_MS, async (call) => spawner.checkOptions?.(options, call));
      ruled.push({ name, plugin, configured: options, spawner });
      const argv = [...(entry.command ?? servers.command ?? []), ...(servers.args ?? [])];
      const env = { ...servers.environment, ...entry.environment };
      const note = await inTime("check", CHECK_MS, async (call) => spawner.check?.({ argv, env }, call));
      const offer = await inTime("form", FORM_MS, async (call) => spawner.form?.(call));
      if (offer) offers.set(name, offer);
      return note;
    });
  }
  await look("profiles", () => profiles(settings, offers, ruled));
  // What plugins hold open would keep this command from ending.
  await closeAll(closers, host.log);
  rmSync(scratch, { recursive: true, force: true });
  await look("account of the servers", () => serverAccount(settings));
  const warning = sharedAccountWarning(bringing, settings.spawners);
  if (warning !== undefined) note("variables of log-ins", warning);
  if (settings.spawners.some(isLocal)) {
    await look("jupyterhub-singleuser", () => {
      const found = findEnvironment(settings.hub.dataDir);
      return found ? found.bin : `not here yet; made at the first start with ${findPython()}`;
    });
  }
  say(faults === 0 ? "\nAll is well." : `\n${faults} ${faults === 1 ? "fault" : "faults"}.`);
  if (faults > 0) process.exitCode = 1;
}

/** A scheduler that is away takes its time to say so. */
const FORM_MS = 20_000;
/** A check may run a container, or a job that has to wait for its node. */
const CHECK_MS = 180_000;

/** One call of a plugin; when it hangs, that is told. */
const inTime = <T>(
  call: string,
  ms: number,
  work: (call: { signal: AbortSignal }) => Promise<T>,
): Promise<T> =>
  bounded(ms, (signal) => work({ signal }), { late: `its ${call} does not answer within ${ms / 1000} s` });

/**
 * What users choose from, in words. Throws CONFIG_INVALID for options that a plugin refuses, and when there is nothing to
 * choose of a field. Of a spawner whose own options are refused no rules are asked.
 */
async function profiles(
  { sections, spawners }: Settings,
  offers: ReadonlyMap<string, Offer>,
  ruled: readonly Ruled[],
): Promise<string> {
  const { profiles: configured = [] }: { profiles?: ProfileEntry[] } = sections.spawn ?? {};
  const faults = [
    ...offerFaults(configured, spawners, offers).map(({ path, message }) => `${path}: ${message}`),
    // What cannot be told now is told of the spawner.
    ...(await profileRuleFaults(configured, ruled, FORM_MS)).flatMap(({ words, isCertain }) =>
      isCertain ? [words] : [],
    ),
    ...(await valueFaults(configured, ruled, { offers, ms: FORM_MS })),
  ];
  if (faults.length > 0) throw new HubError("CONFIG_INVALID", { operator: faults.join("\n         ") });
  return configured.length === 0 ? "one for each spawner" : configured.map(({ slug }) => slug).join(", ");
}

/** Throws CONFIG_INVALID, with all that the secrets of a section in clear show to be wrong; CONFIG_SECRET_MISSING. */
function section(settings: Settings, { name, config, faults }: ServiceDefinition): void {
  const clear = resolved(settings, name, config);
  const slugs = profileSlugs(settings.sections, settings.spawners);
  const found = faults?.(clear, settings.spawners, slugs) ?? [];
  if (found.length > 0)
    throw new HubError("CONFIG_INVALID", {
      operator: found.map(({ path, message }) => `${name}.${path}: ${message}`).join("\n         "),
    });
}

function secrets(settings: Settings): string {
  if (settings.bus.use === "memory" && !hasHubSecrets(settings)) return "made at the first start";
  keysOf(settings, false);
  return "both keys are there, for the hub alone";
}

/** Undefined where the keys are not there or none, which is told elsewhere. */
function doorKey(settings: Settings): Buffer | undefined {
  try {
    return keysOf(settings, false).derive("door");
  } catch {
    return undefined;
  }
}

async function reachStore(settings: Settings): Promise<string> {
  const { use, uri, database } = storeSettings(settings);
  if (use === "sqlite") return "sqlite, in the data directory";
  const { mongoStore } = await import("@elara/runtime/store/mongo");
  const store = await mongoStore({ uri, database, log: pino({ level: "silent" }) });
  try {
    await store.ping();
  } finally {
    await store.close();
  }
  return "mongo answers";
}

async function reachBus(settings: Settings): Promise<string> {
  const { bus } = settings;
  if (bus.use === "memory") return "in this process";
  const { natsBus } = await import("@elara/runtime/bus/nats");
  const { busKeys } = await import("@elara/runtime/bus/accounts/bus-keys");
  const { assertAccounts } = await import("@elara/runtime/bus/accounts/server-account");
  const keys = bus.accounts ? busKeys(keysOf(settings, false).derive("bus")) : undefined;
  const connection = await natsBus({
    servers: bus.servers,
    log: pino({ level: "silent" }),
    name: "elara check",
    tls: bus.tls,
    ...(keys ? { credentials: { nkeySeed: new TextDecoder().decode(keys.hub.getSeed()) } } : {}),
  });
  const isThere = connection.connected;
  await connection.close();
  if (!isThere)
    throw new HubError("BUS_AWAY", { operator: `bus.servers: none of ${bus.servers.join(", ")} answers.` });
  if (!keys) return "nats answers; without accounts, whoever reaches it may give orders";
  await assertAccounts(bus.servers, keys, bus.tls);
  const clear = busInClear(settings);
  return `nats answers, with the hub's accounts${clear === undefined ? "" : `; ${clear}`}`;
}
