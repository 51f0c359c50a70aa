import { timestamp } from "@elara/runtime/clock";
import { isAway } from "@elara/runtime/is-away";
import type { ServerDoc } from "./decision.ts";
import { type Driver, startDriver } from "./driver.ts";
import { clocksOf, driverOf, type SpawnParts } from "./parts.ts";
import { leftMs, phaseSeconds } from "./phases.ts";

/** The drivers of this instance; sees to it that every server in motion has one, somewhere. */
export interface Drivers {
  /** This server moves: drive it if nobody does. */
  look(doc: ServerDoc): void;
  /** Runs `work` while the server named is not driven here: its start is in the ledger but not admitted yet. */
  holding<T>(serverId: string, work: () => Promise<T>): Promise<T>;
  /** A notice says that this server changed. */
  nudge(serverId: string): void;
  /** How many are driven here. */
  readonly size: number;
  /** Hands all over. */
  close(): Promise<void>;
}

/** Starts looking for servers in motion. */
export function startDrivers(parts: SpawnParts): Drivers {
  const { ledger, liveness, log, pace, clock } = parts;
  const me = driverOf(parts);
  const running = new Map<string, Driver>();
  const held = new Set<string>();
  /** Backends the ledger names and the configuration does not: told once. */
  const missing = new Set<string>();
  let isClosing = false;

  const isMine = ({ driver }: ServerDoc) => driver.instance === me.instance && driver.epoch === me.epoch;
  const isFree = ({ driver }: ServerDoc) =>
    driver.instance === "" || !liveness.isAlive(driver.instance, driver.epoch);

  const drive = (doc: ServerDoc): void => {
    const backend = parts.backends.get(doc.backend);
    if (!backend || isClosing) return;
    const driver = startDriver(parts, backend, doc._id);
    running.set(doc._id, driver);
    void driver.done.then(() => {
      if (running.get(doc._id) === driver) running.delete(doc._id);
      // It may have begun to move again just as its driver let go.
      return ledger.read(doc._id).then(
        (now) => now && look(now),
        () => {},
      );
    });
  };

  /** Time during which nobody drove does not end a server: the phase found gets a little of its clock back. */
  const graceFor = (doc: ServerDoc) => {
    const now = clock.now();
    const left = leftMs(doc, now);
    const seconds = phaseSeconds(doc.phase, clocksOf(parts, doc.backend), doc.url !== "");
    if (left === undefined || seconds === undefined) return {};
    const least = Math.min(pace.takeOverMs, seconds * 1000);
    return left < least ? { deadlineAt: timestamp(now + least) } : {};
  };

  const take = async (doc: ServerDoc): Promise<void> => {
    const taken = await ledger.move(doc, { set: { driver: me, ...graceFor(doc) } });
    if (!taken) return;
    if (doc.driver.instance !== "")
      log.info({ serverId: doc._id, phase: doc.phase, from: doc.driver.instance }, "driver taken over");
    look(taken);
  };

  function look(doc: ServerDoc): void {
    if (isClosing || !doc.inMotion || held.has(doc._id)) return;
    if (!parts.backends.get(doc.backend)) {
      if (!missing.has(doc.backend))
        log.error(
          { backend: doc.backend, code: "SPAWN_BACKEND_UNKNOWN" },
          "servers of a missing spawner wait",
        );
      missing.add(doc.backend);
      return;
    }
    const driver = running.get(doc._id);
    if (isMine(doc)) {
      if (driver) driver.nudge();
      else drive(doc);
      return;
    }
    if (driver) driver.nudge();
    else if (isFree(doc) && !parts.row.fenced())
      take(doc).catch((error: unknown) => {
        if (!isAway(error)) log.error({ serverId: doc._id, err: error }, "driver not taken");
      });
  }

  let sweeping = false;
  const sweep = async (): Promise<void> => {
    if (sweeping || isClosing || parts.row.fenced()) return;
    sweeping = true;
    try {
      for await (const doc of ledger.all({ where: { inMotion: true }, sort: { by: ["inMotion", "_id"] } })) {
        // A living driver looks by itself each second.
        if (!running.has(doc._id)) look(doc);
      }
    } catch (error) {
      if (!isAway(error)) log.error({ err: error }, "servers in motion not read");
    } finally {
      sweeping = false;
    }
  };
  const timer = setInterval(() => void sweep(), pace.lookMs);
  void sweep();
  // Every own write that sets a server in motion finds it a driver; those of others are told by a notice.
  ledger.onMoved((doc) => look(doc));

  return {
    look,
    nudge: (serverId) => running.get(serverId)?.nudge(),
    get size() {
      return running.size;
    },
    async holding(serverId, work) {
      held.add(serverId);
      try {
        return await work();
      } finally {
        held.delete(serverId);
      }
    },
    async close() {
      isClosing = true;
      clearInterval(timer);
      await Promise.all([...running.values()].map((driver) => driver.handOver(pace.handOverMs)));
    },
  };
}
