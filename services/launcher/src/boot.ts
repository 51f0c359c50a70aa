import type { AddressInfo } from "node:net";
import type { ServiceName } from "@elara/contracts";
import type { Bus } from "@elara/runtime/bus/bus";
import { systemClock } from "@elara/runtime/clock";
import { localUpstreams } from "@elara/runtime/http/local-upstreams";
import { remoteUpstreams } from "@elara/runtime/http/remote-upstreams";
import { startInstance } from "@elara/runtime/instances";
import type { Keys } from "@elara/runtime/keys";
import { startLiveness } from "@elara/runtime/liveness";
import type { RunningService, ServiceDefinition } from "@elara/runtime/service";
import type { Store } from "@elara/runtime/store/store";
import type { Logger } from "pino";
import { assertSameKeys } from "./same-keys.ts";
import { resolved, resolvedPlugins, type Settings, storeSettings } from "./settings.ts";

/** A hub, or the part of it that runs in this process. */
export interface RunningHub {
  readonly services: ReadonlyMap<ServiceName, RunningService>;
  /** Ends all services within 10 s; servers are not touched. */
  close(): Promise<void>;
}

const CLOSE_MS = 10_000;

async function openBus(settings: Settings, log: Logger): Promise<Bus> {
  if (settings.bus.use === "nats") {
    const { natsBus } = await import("@elara/runtime/bus/nats");
    return natsBus({ servers: settings.bus.servers, log, name: `elara-${process.pid}` });
  }
  const { memoryBus } = await import("@elara/runtime/bus/memory");
  return memoryBus({ log });
}

async function openStore(settings: Settings, log: Logger): Promise<Store> {
  const { use, file, uri, database } = storeSettings(settings);
  if (use === "mongo") {
    const { mongoStore } = await import("@elara/runtime/store/mongo");
    return mongoStore({ uri, database, log });
  }
  const { sqliteStore } = await import("@elara/runtime/store/sqlite");
  return sqliteStore({ file: file || `${settings.hub.dataDir}/hub.sqlite`, log });
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
  const closers: (() => unknown)[] = [];
  const running = new Map<ServiceName, RunningService>();
  const close = async (): Promise<void> => {
    for (const closer of closers.splice(0).reverse()) {
      try {
        await closer();
      } catch (error) {
        log.warn({ err: error }, "closing failed");
      }
    }
  };
  try {
    const store = await openStore(settings, log);
    closers.push(() => store.close());
    const bus = await openBus(settings, log);
    closers.push(() => bus.close());
    const liveness = startLiveness({ store, clock, log });
    closers.push(() => liveness.close());
    const local = localUpstreams();
    const upstreams = alone ? local : remoteUpstreams({ liveness, log });
    closers.push(() => upstreams.close());
    if (!alone) await assertSameKeys(store, keys.fingerprint);
    const hub = { ...settings.hub, hubId: keys.hubId };
    const authenticators = resolvedPlugins(settings, "authenticators", settings.authenticators);
    const spawners = resolvedPlugins(settings, "spawners", settings.spawners);
    for (const definition of definitions) {
      const service = definition.name;
      const serviceLog = log.child({ service });
      const row = await startInstance({
        store,
        service,
        log: serviceLog,
        clock,
        address: "",
        digests: { keys: keys.fingerprint, config: settings.digest },
        onLost: () => serviceLog.warn({}, "beat not confirmed for 6 s, instance fenced"),
      });
      closers.push(() => row.close());
      const started = await definition.start({
        instance: { id: row.id, epoch: row.epoch },
        service,
        row,
        liveness,
        config: resolved(settings, service, definition.config),
        hub,
        keys,
        bus,
        store,
        log: serviceLog,
        clock,
        upstreams,
        plugins: { authenticators, spawners },
      });
      closers.push(() => started.close());
      running.set(service, started);
      const { app } = started;
      if (!app) continue;
      await app.ready();
      if (alone) local.register(service, app);
      else {
        await app.listen({ host: settings.hub.network.serviceHost, port: 0 });
        const { port } = app.server.address() as AddressInfo;
        await row.set({ address: `http://${settings.hub.network.serviceHost}:${port}` });
        closers.push(() => app.close());
      }
    }
    closers.push(() => bus.leave());
    return {
      services: running,
      close: () =>
        Promise.race([
          close(),
          new Promise<void>((done) => {
            setTimeout(done, CLOSE_MS).unref();
          }),
        ]),
    };
  } catch (error) {
    await close();
    throw error;
  }
}
