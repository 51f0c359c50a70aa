import { userInfo } from "node:os";
import { ELARA_VERSION, HubError } from "@elara/contracts";
import { nearest } from "@elara/runtime/config/nearest";
import { createLog } from "@elara/runtime/log";
import { observe } from "@elara/runtime/metrics/meter";
import { isLocal } from "@elara/runtime/shared-account";
import { boot } from "../boot.ts";
import { elaraCommand } from "../elara-command.ts";
import { type CommandOptions, openSettings } from "../open-settings.ts";
import { pythonEnvironment, usePythonEnvironment } from "../python-environment.ts";
import { allowRule, certificate, distinctPorts, publicAddress, serverAccount } from "../rules.ts";
import { explain, say } from "../say.ts";
import { isServiceName, loadServices, serviceNames } from "../services.ts";
import { keysOf, type Settings } from "../settings.ts";
import { startTelemetry } from "../telemetry.ts";
import { trialLines } from "../trial.ts";

/** `elara run all`, `elara run auth web`: runs until SIGTERM or SIGINT. */
export async function run(names: string[], options: CommandOptions): Promise<void> {
  const alone = names.includes("all");
  const wrong = names.find((name) => name !== "all" && !isServiceName(name));
  if (wrong !== undefined) {
    const meant = nearest(wrong, ["all", ...serviceNames]);
    throw new HubError("FIELD_INVALID", {
      operator: `there is no service "${wrong}"${meant ? `, did you mean ${meant}?` : "."} Known: all, ${serviceNames.join(", ")}.`,
    });
  }
  const wanted = serviceNames.filter((name) => alone || names.includes(name));
  const definitions = await loadServices();
  const { settings, isTrial } = await openSettings(options, definitions, wanted);
  if (!alone && (settings.bus.use === "memory" || needsSharedStore(settings))) {
    throw new HubError("CONFIG_INVALID", {
      operator: `${settings.file}: services apart need bus.use: "nats" and store.use: "mongo"; with the embedded ones use \`elara run all\`, or \`elara cluster\` to try the separate shape.`,
    });
  }
  if (wanted.includes("proxy")) {
    publicAddress(settings);
    distinctPorts(settings);
    certificate(settings);
  }
  if (wanted.includes("spawn")) serverAccount(settings);
  const keys = keysOf(settings, alone);
  if (wanted.includes("spawn") && startsJupyterHere(settings)) {
    usePythonEnvironment(await pythonEnvironment(settings.hub.dataDir, say));
  }
  const log = await createLog(settings.log);
  const telemetry = await startTelemetry(settings, log);
  const chosen = definitions.filter(({ name }) => wanted.includes(name));
  const hub = await boot(settings, telemetry ? chosen.map(telemetry.traced) : chosen, { keys, log, alone });
  // Counts from the start of the process.
  observe("hub_startup_duration_seconds", performance.now() / 1000);
  if (wanted.includes("auth")) warnWhenNobodyGetsIn(settings);
  greet(settings, wanted.join(", "), alone, isTrial, options);
  process.send?.({ ready: true });
  await new Promise<void>((done) => {
    for (const signal of ["SIGTERM", "SIGINT"] as const) process.once(signal, () => done());
    // Started by a cluster that is gone without a word: nobody would end this process any more.
    if (process.send) process.once("disconnect", () => done());
  });
  log.info({}, "stopping; servers go on");
  await hub.close();
  await telemetry?.close();
  process.exit(0);
}

/** A hub that lets nobody in may still be wanted, to be filled with users over the API; it is said all the same. */
function warnWhenNobodyGetsIn(settings: Settings): void {
  try {
    allowRule(settings);
  } catch (error) {
    process.stderr.write(explain(error));
  }
}

const needsSharedStore = ({ sections }: Settings): boolean => {
  const { store } = sections;
  return typeof store === "object" && store !== null && "use" in store && store.use !== "mongo";
};

/** Whether servers are processes of this machine that run the usual command. */
function startsJupyterHere({ spawners, sections }: Settings): boolean {
  const { spawn } = sections;
  const usual = typeof spawn === "object" && spawn !== null && "command" in spawn ? spawn.command : [];
  const isUsual = (command: unknown) => Array.isArray(command) && command[0] === "jupyterhub-singleuser";
  return spawners.some((spawner) => isLocal(spawner) && isUsual(spawner.command ?? usual));
}

function greet(
  settings: Settings,
  services: string,
  alone: boolean,
  isTrial: boolean,
  options: CommandOptions,
): void {
  const { network, baseUrl, dataDir, publicUrl } = settings.hub;
  if (!alone) {
    say(`Elara ${ELARA_VERSION}: ${services} (pid ${process.pid})`);
    return;
  }
  const origin = publicUrl || `${network.tls ? "https" : "http"}://${network.host}:${network.port}`;
  say(
    `\nElara ${ELARA_VERSION} is ready.\n`,
    `  Open      ${origin}${baseUrl}`,
    ...(isTrial ? trialLines({ dataDir, admin: options.admin }) : []),
    `  Data      ${dataDir}`,
    ...(isTrial
      ? [
          `\n  TRIAL MODE: this machine only, one password for all, servers run as ${userInfo().username}.`,
          `  For real users: \`${elaraCommand()} init\`, then \`${elaraCommand()} check\`.`,
        ]
      : []),
    "\n  Ctrl-C stops the hub. Running servers go on and are found again at the next start.\n",
  );
}
