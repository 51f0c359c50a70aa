import { ServerChanged, SpawnCreate, SpawnCull, SpawnPurge, SpawnStart, SpawnStop } from "@elara/contracts";
import { apiUrlOf } from "@elara/runtime/config/hub";
import { holdLease } from "@elara/runtime/lease";
import { observe } from "@elara/runtime/metrics/meter";
import { startRelay } from "@elara/runtime/relay";
import type { RunningService, ServiceContext } from "@elara/runtime/service";
import { userById } from "@elara/runtime/store/read/users";
import { startActivity } from "./activity.ts";
import { openAdmission } from "./admission.ts";
import { openBackends } from "./backends.ts";
import type { SpawnConfig } from "./config.ts";
import { startDrivers } from "./drivers.ts";
import { openLedger } from "./ledger.ts";
import { type Observer, startObserver } from "./observer.ts";
import { orderCreate } from "./orders/create.ts";
import { orderCull } from "./orders/cull.ts";
import type { Desk } from "./orders/order.ts";
import { orderPurge } from "./orders/purge.ts";
import { orderStart } from "./orders/start.ts";
import { orderStop } from "./orders/stop.ts";
import { type Pace, steadyPace } from "./pace.ts";
import type { SpawnParts } from "./parts.ts";
import { holdToRules } from "./profiles/plugin-rules.ts";
import { openProfiles } from "./profiles/profile-book.ts";
import { openStepLog } from "./steps.ts";
import { watchUnserved } from "./unserved.ts";

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

/** Starts the service: drivers, observers, orders. `pace` is for tests. */
export async function startSpawn(
  context: ServiceContext<SpawnConfig>,
  pace: Pace = steadyPace,
): Promise<RunningService> {
  const { bus, store, clock, config, hub, instance, keys, liveness, log, row } = context;
  const began = performance.now();
  const backends = await openBackends({
    configured: context.plugins.spawners,
    config,
    dataDir: hub.dataDir,
    hubId: hub.hubId,
    apiUrl: apiUrlOf(hub),
    internalHost: hub.network.internalHost,
    log,
    clock,
  });
  await holdToRules(config.profiles, backends.list, log).catch(async (error: unknown) => {
    await backends.close();
    throw error;
  });
  observe("init_spawners_duration_seconds", (performance.now() - began) / 1000);
  const ledger = openLedger({ store, bus, clock, hubId: hub.hubId, nudge: () => relay.nudge() });
  const relay = startRelay({ bus, documents: [ledger.documents], log, clock });
  const observers = new Map<string, Observer>();
  const bookLease = await holdLease({ store, name: "profiles", instance: row, liveness, log, clock });
  const profiles = await openProfiles({
    entries: config.profiles,
    backends,
    store,
    log,
    clock,
    lease: bookLease,
    pace,
  });
  const parts: SpawnParts = {
    instance,
    row,
    liveness,
    config,
    hub,
    bus,
    clock,
    log,
    pace,
    ledger,
    steps: openStepLog({ store, bus, clock }),
    backends,
    profiles,
    owner: (userId) => userById(store, userId),
    admission: openAdmission({ store, ledger, config }),
    tagKey: keys.derive("tag"),
    forget: (doc) =>
      activity
        .forget(doc.userId, `s:${doc._id}`)
        .catch((error: unknown) => log.warn({ serverId: doc._id, err: error }, "activity not forgotten")),
    lookSoon: (backend) => observers.get(backend)?.lookSoon(),
  };
  const activity = startActivity({
    store,
    bus,
    log,
    clock,
    flushMs: pace.flushMs,
    keepDays: config.activityDays,
  });
  const drivers = startDrivers(parts);
  const leases = await Promise.all(
    backends.list.map(async (backend) => {
      const lease = await holdLease({
        store,
        name: `observer:${backend.name}`,
        instance: row,
        liveness,
        log,
        clock,
      });
      observers.set(backend.name, startObserver(parts, { backend, held: lease.held }));
      return lease;
    }),
  );
  const unserved = watchUnserved(parts);
  const desk: Desk = { parts, drivers, activity };
  const orders = [
    bus.reply(SpawnStart, (request, meta) => orderStart(desk, { request, ...meta })),
    bus.reply(SpawnStop, (request, meta) => orderStop(desk, { request, ...meta })),
    bus.reply(SpawnCreate, (request, meta) => orderCreate(desk, { request, ...meta })),
    bus.reply(SpawnPurge, (request, meta) => orderPurge(desk, { request, ...meta })),
    bus.reply(SpawnCull, (request, meta) => orderCull(desk, { request, ...meta })),
    // Another replica took an order for a server driven here.
    bus.subscribe(ServerChanged, ({ serverId }) => drivers.nudge(serverId)),
  ];
  const purge = async () => {
    try {
      while ((await parts.steps.purge(clock.now() - config.logDays * DAY_MS)) > 0);
    } catch (error) {
      log.warn({ err: error }, "old logs not removed yet");
    }
  };
  const purging = setInterval(() => void purge(), HOUR_MS);

  return {
    async close() {
      clearInterval(purging);
      await Promise.all(orders.map((order) => order.close()));
      await Promise.all([
        drivers.close(),
        activity.close(),
        ...[...observers.values()].map((observer) => observer.close()),
      ]);
      await unserved.close();
      await profiles.close();
      await Promise.all([bookLease, ...leases].map((lease) => lease.close()));
      await relay.close();
      await backends.close();
    },
  };
}
