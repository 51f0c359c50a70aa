import { codeOf, type Throttle as Failures, HubError } from "@elara/contracts";
import { timestamp } from "@elara/runtime/clock";
import { digest } from "@elara/runtime/id";
import type { Ground } from "../ground.ts";

/** Counts log-ins in the store, for all replicas together. */
export interface Throttle {
  /**
   * Counts an attempt before it is made, so that many at once cannot outrun the count. Throws LOGIN_THROTTLED with the
   * time to wait.
   */
  enter(name: string, address: string): Promise<Attempt>;
  /** The same for one without a name: who comes back from a provider. By address alone and wide, since one address may be a whole school. */
  enterFrom(address: string): Promise<Attempt>;
}

/** An attempt that was counted. */
export interface Attempt {
  /** It was no guess: forgets all failures of the name from this address, and takes this one off the name. */
  succeeded(): Promise<void>;
  /** It was not made (the authenticator is away): takes it off again. */
  notMade(): Promise<void>;
}

const TRIES = 20;

export function throttle({ records, config, clock }: Ground): Throttle {
  const { throttles } = records;
  const { windowSeconds, blockSeconds, failuresPerAddress, failuresPerName, callbacksPerAddress } =
    config.throttle;

  const refused = (until: number): HubError =>
    new HubError("LOGIN_THROTTLED", {
      retryAfterSeconds: Math.max(1, Math.ceil((until - clock.now()) / 1000)),
    });

  async function count(key: string, limit: number): Promise<void> {
    for (let tries = 0; tries < TRIES; tries += 1) {
      const now = clock.now();
      const known = await throttles.get(key);
      const until = known?.blockedUntil ? Date.parse(known.blockedUntil) : 0;
      if (until > now) throw refused(until);
      const isOver =
        known === undefined || until > 0 || now - Date.parse(known.firstAt) > windowSeconds * 1000;
      const failures = isOver ? 1 : known.failures + 1;
      const isTooMany = failures > limit;
      const next: Omit<Failures, "_id" | "rev"> = {
        v: 1,
        failures,
        firstAt: isOver ? timestamp(now) : known.firstAt,
        blockedUntil: isTooMany ? timestamp(now + blockSeconds * 1000) : "",
        expiresAt: timestamp(now + (windowSeconds + blockSeconds) * 1000),
      };
      if (
        known === undefined ? await inserted(key, next) : await throttles.patch(key, known.rev, { set: next })
      ) {
        if (isTooMany) throw refused(now + blockSeconds * 1000);
        return;
      }
    }
    // So many at once that none can be counted is too many.
    throw refused(clock.now() + 1000);
  }

  async function inserted(key: string, doc: Omit<Failures, "_id" | "rev">): Promise<boolean> {
    try {
      await throttles.insert({ _id: key, ...doc });
      return true;
    } catch (error) {
      if (codeOf(error) === "STORE_CONFLICT") return false;
      throw error;
    }
  }

  async function takeOff(key: string): Promise<void> {
    for (let tries = 0; tries < TRIES; tries += 1) {
      const known = await throttles.get(key);
      if (known === undefined || known.failures === 0) return;
      if (await throttles.patch(key, known.rev, { set: { failures: known.failures - 1 } })) return;
    }
  }

  return {
    async enterFrom(address) {
      const key = digest(`callback\0${address}`);
      await count(key, callbacksPerAddress);
      return { succeeded: () => takeOff(key), notMade: () => takeOff(key) };
    },
    async enter(name, address) {
      const byAddress = digest(`address\0${address}\0${name}`);
      const byName = digest(`name\0${name}`);
      await count(byAddress, failuresPerAddress);
      await count(byName, failuresPerName);
      return {
        async succeeded() {
          await throttles.delete(byAddress);
          await takeOff(byName);
        },
        async notMade() {
          await takeOff(byAddress);
          await takeOff(byName);
        },
      };
    },
  };
}
