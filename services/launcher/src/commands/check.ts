import { mkdirSync } from "node:fs";
import { createServer } from "node:net";
import { userInfo } from "node:os";
import { join } from "node:path";
import { codeOf, HubError } from "@elara/contracts";
import type { PluginHost } from "@elara/sdk";
import { pino } from "pino";
import { type CommandOptions, openSettings } from "../open-settings.ts";
import { pythonEnvironment } from "../python-environment.ts";
import { say } from "../say.ts";
import { loadServices } from "../services.ts";
import { assertAddress, keysOf, resolvedPlugins, type Settings, storeSettings } from "../settings.ts";

/** `elara check`: every finding at once, exit code 1 when one is a fault. Starts nothing, changes no state. */
export async function check(options: CommandOptions): Promise<void> {
  const { settings, password } = await openSettings(options, await loadServices());
  say(`Checking ${password === undefined ? settings.file : "trial mode (no elara.config.ts here)"}\n`);
  let faults = 0;
  const look = async (what: string, work: () => unknown): Promise<void> => {
    try {
      const note = await work();
      say(`  ok     ${what}${typeof note === "string" ? `: ${note}` : ""}`);
    } catch (error) {
      faults++;
      const text =
        error instanceof HubError
          ? error.operator || error.message
          : error instanceof Error
            ? error.message
            : String(error);
      say(`  FAULT  ${what}: ${codeOf(error) ? `${codeOf(error)}: ` : ""}${text}`);
    }
  };
  await look("configuration", () => "no unknown keys, no wrong types");
  await look("who gets in", () => allowRule(settings));
  await look("secrets", () => void keysOf(settings, settings.bus.use === "memory"));
  await look("public address", () => assertAddress(settings));
  const { network } = settings.hub;
  await look(`port ${network.port}`, () => freePort(network.host, network.port, "network.port (--port)"));
  await look(`port ${network.internalPort}`, () =>
    freePort(network.internalHost, network.internalPort, "network.internalPort (--internal-port)"),
  );
  await look("store", () => reachStore(settings));
  await look("bus", () => reachBus(settings));
  const host = (name: string): PluginHost => {
    const dataDir = join(settings.hub.dataDir, "plugins", name);
    mkdirSync(dataDir, { recursive: true, mode: 0o700 });
    return { log: pino({ level: "silent" }), dataDir, hubId: "check", now: () => Date.now(), onClose() {} };
  };
  for (const { name, plugin, options } of resolvedPlugins(
    settings,
    "authenticators",
    settings.authenticators,
  )) {
    await look(`authenticator ${name}`, async () => (await plugin.setup(options, host(name))).check?.());
  }
  for (const { name, plugin, options } of resolvedPlugins(settings, "spawners", settings.spawners)) {
    await look(`spawner ${name}`, async () => (await plugin.setup(options, host(name))).check?.());
  }
  await look("account of the servers", () => serverAccount(settings));
  if (settings.spawners.some(({ plugin }) => plugin.name === "local")) {
    await look("jupyterhub-singleuser", async () => (await pythonEnvironment(settings.hub.dataDir, say)).bin);
  }
  say(faults === 0 ? "\nAll is well." : `\n${faults} ${faults === 1 ? "fault" : "faults"}.`);
  if (faults > 0) process.exitCode = 1;
}

function allowRule({ authenticators, sections }: Settings): string {
  const auth: { allowAll?: boolean; allowedUsers?: string[]; adminUsers?: string[] } = sections.auth ?? {};
  if (authenticators.length === 0) {
    throw new HubError("CONFIG_INVALID", {
      operator: 'authenticators: is empty, so nobody can log in. Name one, e.g. ["pam"].',
    });
  }
  const named = (auth.allowedUsers?.length ?? 0) + (auth.adminUsers?.length ?? 0);
  if (!auth.allowAll && named === 0) {
    throw new HubError("CONFIG_INVALID", {
      operator:
        "auth.allowedUsers: is empty and auth.allowAll is not set, so nobody gets in. List names, or set allowAll: true to let in everybody the authenticator knows.",
    });
  }
  return auth.allowAll
    ? "everybody the authenticator knows"
    : `${named} named ${named === 1 ? "user" : "users"}`;
}

function serverAccount({ spawners, hub }: Settings): string {
  const local = spawners.filter(({ plugin }) => plugin.name === "local");
  if (local.length === 0) return "where the spawners say";
  if (local.every(({ options }) => options.systemAccounts === true)) return "the account of each user's name";
  if (process.getuid?.() !== 0 || hub.trial) return `${userInfo().username}, for everybody`;
  throw new HubError("CONFIG_INVALID", {
    operator:
      "spawners: the hub is root and the local spawner has systemAccounts: false, so every user's server would be root. Run the hub as another account, or set systemAccounts: true.",
  });
}

/** Throws PORT_TAKEN when somebody listens there. */
export const freePort = (host: string, port: number, option: string): Promise<void> =>
  new Promise((done, fail) => {
    const server = createServer();
    server.once("error", (cause) =>
      fail(
        new HubError("PORT_TAKEN", {
          operator: `${host}:${port} cannot be listened on (${codeOf(cause)}). Stop what uses it, or set ${option}.`,
          cause,
        }),
      ),
    );
    server.listen({ host, port, exclusive: true }, () => server.close(() => done()));
  });

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

async function reachBus({ bus }: Settings): Promise<string> {
  if (bus.use === "memory") return "in this process";
  const { natsBus } = await import("@elara/runtime/bus/nats");
  const connection = await natsBus({
    servers: bus.servers,
    log: pino({ level: "silent" }),
    name: "elara check",
  });
  const isThere = connection.connected;
  await connection.close();
  if (!isThere)
    throw new HubError("BUS_AWAY", { operator: `bus.servers: none of ${bus.servers.join(", ")} answers.` });
  return "nats answers";
}
