import {
  codeOf,
  ELARA_VERSION,
  HubError,
  type Instance,
  instances,
  type ServiceName,
} from "@elara/contracts";
import type { Logger } from "pino";
import { type Clock, timestamp } from "./clock.ts";
import { newId } from "./id.ts";
import type { Store } from "./store/store.ts";

/** How often the beat is raised. */
export const BEAT_MS = 2000;
/** A confirmed beat older than this fences the instance: well before others take it for dead (10 s). */
export const FENCE_MS = 6000;
/** How often it is checked whether the fence fell. */
const CHECK_MS = 500;

/** This service's own row in `instances`. */
export interface InstanceRow {
  readonly id: string;
  readonly epoch: number;
  /** True when the last confirmed beat began more than 6 s ago: then no backend call is made and signals are aborted. */
  fenced(): boolean;
  /** Changes own fields with the next write; resolves when written. Throws STORE_AWAY. */
  set(fields: { routesUpTo?: string; address?: string }): Promise<void>;
  /** Marks the row stopped. */
  close(): Promise<void>;
}

export interface InstanceOptions {
  readonly store: Store;
  readonly service: ServiceName;
  readonly log: Logger;
  readonly clock: Clock;
  readonly address: string;
  readonly digests: Readonly<Record<string, string>>;
  /** Called each time the fence falls: others may take what this instance drives. */
  readonly onLost: () => void;
}

/**
 * Writes the row and keeps its beat. With the store away it returns all the same, fenced; the row is written as soon
 * as the store answers, and again when it has vanished.
 */
export async function startInstance(options: InstanceOptions): Promise<InstanceRow> {
  const { store, service, log, clock, onLost } = options;
  const documents = store.collection(instances);
  const id = newId();
  const epoch = 1;
  const startedAt = timestamp(clock.now());
  const own = { address: options.address, routesUpTo: "", stoppedAt: "" };
  let beat = 0;
  /** As written last; undefined when the store may hold another. */
  let known: Instance | undefined;
  /** When the last confirmed beat began. */
  let confirmed = Number.NEGATIVE_INFINITY;

  const fresh = () => ({
    _id: id,
    v: 1,
    service,
    epoch,
    beat,
    startedAt,
    version: ELARA_VERSION,
    digests: { ...options.digests },
    ...own,
  });

  const write = async (): Promise<void> => {
    const began = clock.monotonic();
    beat += 1;
    const before = known ?? (await documents.get(id));
    known = undefined;
    const written =
      before === undefined
        ? await documents.insert(fresh())
        : await documents.patch(id, before.rev, { set: { beat, ...own } });
    // Nobody else writes the row, but it may have been removed; the next write finds out.
    if (written === undefined) throw new HubError("STORE_CONFLICT", { detail: { instance: id } });
    known = written;
    confirmed = began;
  };

  // One write at a time; whoever asks while one runs waits for the next, together.
  let running = Promise.resolve();
  let next: Promise<void> | undefined;
  const writeSoon = (): Promise<void> => {
    next ??= running.then(() => {
      next = undefined;
      const work = write();
      running = work.catch(() => {});
      return work;
    });
    return next;
  };

  const fenced = () => clock.monotonic() - confirmed > FENCE_MS;
  let wasFenced = false;
  let complained = false;
  const beatOnce = async (): Promise<void> => {
    try {
      await writeSoon();
      complained = false;
    } catch (error) {
      if (!complained) log.warn({ code: codeOf(error), err: error }, "beat not written");
      complained = true;
    }
  };
  const check = () => {
    const isFenced = fenced();
    if (isFenced === wasFenced) return;
    wasFenced = isFenced;
    if (isFenced) onLost();
    else log.info({ instance: id }, "instance confirmed again");
  };

  await beatOnce();
  wasFenced = fenced();
  const beats = setInterval(() => void beatOnce(), BEAT_MS);
  const checks = setInterval(check, CHECK_MS);

  return {
    id,
    epoch,
    fenced,
    set(fields) {
      Object.assign(own, fields);
      return writeSoon();
    },
    async close() {
      clearInterval(beats);
      clearInterval(checks);
      own.stoppedAt = timestamp(clock.now());
      try {
        await writeSoon();
      } catch (error) {
        // Others find out by its beat.
        log.debug({ err: error }, "good-bye not written");
      }
    },
  };
}
