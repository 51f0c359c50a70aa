import type { AddressInfo } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import type { EventGate } from "@elara/runtime/bus/accounts/event-gate";
import type { Bus } from "@elara/runtime/bus/bus";
import { systemClock } from "@elara/runtime/clock";
import { localUpstreams } from "@elara/runtime/http/local-upstreams";
import { remoteUpstreams } from "@elara/runtime/http/remote-upstreams";
import { type InstanceRow, startInstance } from "@elara/runtime/instances";
import type { Keys } from "@elara/runtime/keys";
import { startLiveness } from "@elara/runtime/liveness";
import { answerScrapes } from "@elara/runtime/metrics/exchange";
import type { RunningService, ServiceDefinition } from "@elara/runtime/service";
import type { Store } from "@elara/runtime/store/store";
import type { Logger } from "pino";
import { busInClear } from "./rules.ts";
import { assertSameKeys, keyDigests } from "./same-keys.ts";
import { resolved, resolvedPlugin, type Settings, sqliteFile, storeSettings } from "./settings.ts";
import { withPatience } from "./store-patience.ts";

/** A hub, or the part of it that runs in this process. */
export interface RunningHub {
  /** Ends all services within 10 s; servers are not touched. */
  close(): Promise<void>;
}

const CLOSE_MS = 10_000;

async function openBus(settings: Settings, keys: Keys, log: Logger): Promise<Bus> {
  if (settings.bus.use === "nats") {
    const { servers, accounts, tls } = settings.bus;
    const { natsBus } = await import("@elara/runtime/bus/nats");
    const { busKeys } = await import("@elara/runtime/bus/accounts/bus-keys");
    const name = `elara-${process.pid}`;
    const clear = busInClear(settings);
    if (clear !== undefined) log.warn({ servers }, clear);
    if (!accounts) return natsBus({ servers, log, name, tls });
    const nkeySeed = new TextDecoder().decode(busKeys(keys.derive("bus")).hub.getSeed());
    return natsBus({ servers, log, name, tls, credentials: { nkeySeed } });
  }
  const { memoryBus } = await import("@elara/runtime/bus/memory");
  return memoryBus({ log, factsFile: `${settings.hub.dataDir}/events.sqlite` });
}

/** The way in for subscribers from outside; auth keeps it. */
async function openGate(settings: Settings, keys: Keys, log: Logger): Promise<EventGate | undefined> {
  const { use, accounts, servers, tls } = settings.bus;
  if (use !== "nats" || !accounts) return undefined;
  const { natsGate } = await import("@elara/runtime/bus/accounts/nats-gate");
  const { busKeys } = await import("@elara/runtime/bus/accounts/bus-keys");
  return natsGate({ servers, tls, keys: busKeys(keys.derive("bus")), log, name: `elara-${process.pid}` });
}

async function openStore(settings: Settings, log: Logger): Promise<Store> {
  const { use, file, uri, database } = storeSettings(settings);
  if (use === "mongo") {
    const { mongoStore } = await import("@elara/runtime/store/mongo");
    return mongoStore({ uri, database, log });
  }
  const { sqliteStore } = await import("@elara/runtime/store/sqlite");
  return sqliteStore({ file: sqliteFile(settings, file), log });
}

/** What is to be ended, in stages; those of one stage end side by side. */
class Ending {
  readonly #stages: (() => unknown)[][] = [];
  readonly #log: Logger;

  constructor(log: Logger) {
    this.#log = log;
  }

  /** Ends before everything that was added earlier. */
  before(end: () => unknown): void {
    this.#stages.unshift([end]);
  }

  /** Ends side by side with what was added last. */
  beside(end: () => unknown): void {
    const [first] = this.#stages;
    if (first) first.push(end);
    else this.before(end);
  }

  async run(): Promise<void> {
    for (const stage of this.#stages.splice(0)) {
      for (const result of await Promise.allSettled(stage.map(async (end) => end()))) {
        if (result.status === "rejected") this.#log.warn({ err: result.reason }, "closing failed");
      }
    }
  }
}

/**
 * Starts the given services in this process: all of them hand requests to each other in process; fewer listen each
 * and find the others by their `instances` rows.
 */
export async function boot(
  settings: Settings,
  definitions: readonly ServiceDefinition[],
  given: { keys: Keys; log: Logger; alone: boolean },
): Promise<RunningHub> {
  const { keys, log, alone } = given;
  const clock = systemClock;
  const ending = new Ending(log);
  const running: RunningService[] = [];
  const rows: InstanceRow[] = [];
  try {
    const store = await openStore(settings, log);
    ending.before(() => store.close());
    const bus = await openBus(settings, keys, log);
    ending.before(() => bus.close());
    const keepsGate = definitions.some(({ name }) => name === "auth");
    const gate = keepsGate ? await openGate(settings, keys, log) : undefined;
    ending.beside(() => gate?.close());
    const liveness = startLiveness({ store, clock, log });
    ending.before(() => liveness.close());
    const local = localUpstreams();
    const upstreams = alone ? local : remoteUpstreams({ liveness, log });
    ending.beside(() => upstreams.close());
    // Good-bye is said last, side by side: until then the rows tell that somebody still answers.
    ending.before(() => Promise.all(rows.map((row) => row.close())));
    ending.before(() => Promise.all(running.map((service) => service.close())));
    if (!alone) await withPatience(() => assertSameKeys(store, keys), log);
    const { contact = "" }: { contact?: string } = settings.sections.auth ?? {};
    const hub = { ...settings.hub, hubId: keys.hubId, contact };
    const authenticators = settings.authenticators.map((entry, index) =>
      resolvedPlugin(settings, `authenticators[${index}]`, entry),
    );
    const spawners = settings.spawners.map((entry, index) =>
      resolvedPlugin(settings, `spawners[${index}]`, entry),
    );
    for (const definition of definitions) {
      const service = definition.name;
      const serviceLog = log.child({ service });
      const row = await startInstance({
        store,
        service,
        log: serviceLog,
        clock,
        address: "",
        digests: { ...keyDigests(keys), config: settings.digest },
        onLost: () => serviceLog.warn({}, "beat not confirmed for 6 s, instance fenced"),
      });
      rows.push(row);
      const started = await definition.start({
        instance: { id: row.id, epoch: row.epoch },
        service,
        row,
        liveness,
        config: resolved(settings, service, definition.config),
        hub,
        keys,
        bus,
        ...(gate && service === "auth" ? { gate } : {}),
        store,
        log: serviceLog,
        clock,
        upstreams,
        plugins: { authenticators, spawners },
      });
      running.push(started);
      const { app } = started;
      if (!app) continue;
      await app.ready();
      if (alone) local.register(service, app);
      else {
        await app.listen({ host: settings.hub.network.serviceHost, port: 0 });
        const { port } = app.server.address() as AddressInfo;
        const address = `http://${settings.hub.network.serviceHost}:${port}`;
        await withPatience(() => row.set({ address }), serviceLog);
      }
    }
    const scrapes = answerScrapes(
      bus,
      rows.map((row) => row.id),
      log,
    );
    ending.before(() => bus.leave());
    ending.beside(() => scrapes.close());
    return {
      close: () => Promise.race([ending.run(), sleep(CLOSE_MS, undefined, { ref: false })]),
    };
  } catch (error) {
    await ending.run();
    throw error;
  }
}
