import type { LastTimes, Server } from "@elara/contracts";

/** What is to be done with one server. */
export type Decision =
  | { readonly do: "keep" }
  | { readonly do: "warn" | "stop"; readonly reason: "idle" | "max_age"; readonly lastActivity: string };

export interface Look {
  readonly server: Pick<Server, "phase" | "desired" | "readyAt" | "deletedAt">;
  /** Traffic seen by proxies and reports of the server itself. */
  readonly times: LastTimes | undefined;
  /** Milliseconds since the epoch. */
  readonly now: number;
  /** Milliseconds between two moments during which use would have been noticed (see `daylight.ts`). */
  readonly noticed: (from: number, to: number) => number;
  /** When the warning for this generation and reason was given, undefined before. */
  readonly warnedAt: number | undefined;
  readonly config: {
    readonly idleSeconds: number;
    readonly maxAgeSeconds: number;
    readonly warnSeconds: number;
  };
}

/** When the server was last used: being ready counts as use, so that nobody loses a server nobody could use yet. */
export const lastUse = (readyAt: string, times: LastTimes | undefined): string =>
  [readyAt, times?.traffic ?? "", times?.report ?? ""].reduce((last, time) => (time > last ? time : last));

/**
 * The policy, without side effects. Only ready servers are judged: starting, stopping and unknown ones have clocks of
 * their own. Age is counted by the calendar, idleness only while use could have been noticed.
 */
export function decide({ server, times, now, noticed, warnedAt, config }: Look): Decision {
  if (server.phase !== "ready" || server.desired !== "running" || server.deletedAt !== "") return KEEP;
  if (server.readyAt === "") return KEEP;
  const lastActivity = lastUse(server.readyAt, times);
  const reason = isTooOld() ? "max_age" : isIdle() ? "idle" : undefined;
  if (reason === undefined) return KEEP;
  const warned =
    config.warnSeconds === 0 || (warnedAt !== undefined && now - warnedAt >= config.warnSeconds * 1000);
  return { do: warned ? "stop" : "warn", reason, lastActivity };

  function isTooOld(): boolean {
    return config.maxAgeSeconds > 0 && now - Date.parse(server.readyAt) >= config.maxAgeSeconds * 1000;
  }
  function isIdle(): boolean {
    return config.idleSeconds > 0 && noticed(Date.parse(lastActivity), now) >= config.idleSeconds * 1000;
  }
}

const KEEP: Decision = { do: "keep" };
