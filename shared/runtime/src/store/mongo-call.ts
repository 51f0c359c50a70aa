import { setTimeout as pause } from "node:timers/promises";
import { codeOf, HubError } from "@elara/contracts";
import type { Logger } from "pino";

/** A call to MongoDB is answered within this time, or throws STORE_AWAY. */
export const DEADLINE_MS = 2000;
const PAUSE_MS = 25;

/** What the adapter needs to know of the driver's errors; the driver itself is loaded only when it is used. */
export interface Driver {
  readonly MongoError: new (message: string) => Error;
  readonly MongoServerError: new (message: { message: string }) => Error;
  readonly MongoWriteConcernError: abstract new (...args: never[]) => Error;
}

/**
 * Runs one call until it is answered: repeats it when the answer was lost, gives up with STORE_AWAY after 2 s.
 * `again` tells the attempt that an earlier one may have been carried out.
 */
export type Call = <T>(attempt: (again: boolean) => Promise<T>) => Promise<T>;

/** Server errors after which the same request may succeed: elections, shut-downs, time limits. */
const TRANSIENT = new Set([6, 7, 50, 64, 89, 91, 189, 262, 9001, 10107, 11600, 11602, 13435, 13436]);
const DUPLICATE = 11000;
const REFUSED = new Set([8000, 13, 18]);

/** Calls with a deadline; going away and coming back is logged once each. */
export function callWithin(driver: Driver, log: Logger, monotonic: () => number): Call {
  let isAway = false;
  const away = (cause: unknown): HubError => {
    if (!isAway) log.error({ err: cause }, "mongodb away");
    isAway = true;
    return new HubError("STORE_AWAY", { cause });
  };
  const isLost = (error: unknown): boolean => {
    if (error instanceof Late || error instanceof driver.MongoWriteConcernError) return true;
    if (error instanceof driver.MongoServerError) return "code" in error && TRANSIENT.has(Number(error.code));
    return error instanceof driver.MongoError;
  };
  return async (attempt) => {
    const end = monotonic() + DEADLINE_MS;
    for (let again = false; ; again = true) {
      try {
        const answer = await before(end - monotonic(), attempt(again));
        if (isAway) log.info("mongodb back");
        isAway = false;
        return answer;
      } catch (error) {
        if (!isLost(error)) throw translate(error);
        if (monotonic() + PAUSE_MS >= end) throw away(error);
        await pause(PAUSE_MS);
      }
    }
  };
}

class Late extends Error {}

async function before<T>(milliseconds: number, work: Promise<T>): Promise<T> {
  const stop = new AbortController();
  const late = pause(Math.max(0, milliseconds), undefined, { signal: stop.signal }).then(
    () => Promise.reject(new Late(`no answer within ${DEADLINE_MS} ms`)),
    () => new Promise<never>(() => undefined),
  );
  try {
    return await Promise.race([work, late]);
  } finally {
    stop.abort();
  }
}

function translate(error: unknown): unknown {
  if (error instanceof HubError || !(error instanceof Error) || !("code" in error)) return error;
  if (error.code === DUPLICATE) return new HubError("STORE_CONFLICT", { cause: error });
  if (REFUSED.has(Number(error.code)))
    return new HubError("STORE_AWAY", {
      cause: error,
      operator: "MongoDB refused the credentials or the account may not write: check the URI in `store`.",
    });
  return new HubError("INTERNAL", { cause: error, detail: codeOf(error) });
}
