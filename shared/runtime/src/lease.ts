import { codeOf, type Lease, leases } from "@elara/contracts";
import type { Logger } from "pino";
import { type Clock, timestamp } from "./clock.ts";
import type { Liveness } from "./liveness.ts";
import type { InstanceId } from "./service.ts";
import type { Store } from "./store/store.ts";

/** How often the lease is looked at, by its holder and by those who wait for it. */
const EVERY_MS = 1000;
/** A holder that has not read the lease for so long does not count on it. */
const STALE_MS = 6000;

export interface HeldLease {
  /** Whether this instance holds the role now: read within 6 s, and its own beat not fenced. */
  held(): boolean;
  /** Gives the role up, so that another takes it within a second. */
  close(): Promise<void>;
}

export interface LeaseOptions {
  readonly store: Store;
  /** The role, e.g. `observer:local`, `culler`. */
  readonly name: string;
  /** Who wants it; give the `InstanceRow`, so that a fenced instance holds nothing. */
  readonly instance: InstanceId & { fenced?(): boolean };
  readonly liveness: Pick<Liveness, "isAlive">;
  readonly log: Logger;
  readonly clock: Clock;
}

/** Holds, or waits for, a role of which there is one. It is taken over only when its holder is dead or gave it up. */
export async function holdLease({
  store,
  name,
  instance,
  liveness,
  log,
  clock,
}: LeaseOptions): Promise<HeldLease> {
  const documents = store.collection(leases);
  const me = { instance: instance.id, epoch: instance.epoch };
  let heldSince: number | undefined;
  let closed = false;

  const isMine = (lease: Lease) => lease.holder.instance === me.instance && lease.holder.epoch === me.epoch;
  const isFree = ({ holder }: Lease) =>
    holder.instance === "" || !liveness.isAlive(holder.instance, holder.epoch);

  const take = async (): Promise<boolean> => {
    const lease = await documents.get(name);
    if (lease !== undefined && isMine(lease)) return true;
    if (closed || instance.fenced?.() === true) return false;
    const takenAt = timestamp(clock.now());
    if (lease === undefined) {
      await documents.insert({ _id: name, v: 1, holder: me, takenAt });
      return true;
    }
    if (!isFree(lease)) return false;
    return (await documents.patch(name, lease.rev, { set: { holder: me, takenAt } })) !== undefined;
  };

  let complained = false;
  const complain = (error: unknown, message: string): void => {
    // Another was first: nothing is wrong.
    if (codeOf(error) === "STORE_CONFLICT") log.debug({ lease: name, err: error }, message);
    else {
      if (!complained) log.warn({ lease: name, code: codeOf(error), err: error }, message);
      complained = true;
    }
  };

  const look = async (): Promise<void> => {
    const began = clock.monotonic();
    const before = heldSince !== undefined;
    try {
      heldSince = (await take()) ? began : undefined;
      complained = false;
    } catch (error) {
      // `held` runs out by itself.
      complain(error, "lease not read");
      return;
    }
    if (before !== (heldSince !== undefined)) {
      log.info({ lease: name, instance: me.instance }, before ? "lease lost" : "lease taken");
    }
  };

  let looking = look();
  const timer = setInterval(() => {
    looking = looking.then(look);
  }, EVERY_MS);
  await looking;

  return {
    held: () =>
      !closed &&
      heldSince !== undefined &&
      clock.monotonic() - heldSince < STALE_MS &&
      instance.fenced?.() !== true,
    async close() {
      if (closed) return;
      closed = true;
      clearInterval(timer);
      await looking;
      try {
        const lease = await documents.get(name);
        if (lease === undefined || !isMine(lease)) return;
        await documents.patch(name, lease.rev, { set: { holder: { instance: "", epoch: 0 } } });
      } catch (error) {
        complain(error, "lease not released");
      }
    },
  };
}
