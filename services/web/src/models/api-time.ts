import { timestamp } from "@elara/runtime/clock";

const MICROSECONDS = /\.\d{6}Z$/;

/** A document's time as JupyterHub writes it: microseconds unless they are zero, `null` for none. */
export function apiTime(time: string): string | null {
  if (time === "") return null;
  if (MICROSECONDS.test(time)) return time;
  return time.endsWith(".000Z") ? `${time.slice(0, -5)}Z` : `${time.slice(0, -1)}000Z`;
}

/**
 * The latest of some times, "" when there is none. UTC strings order as text; one without microseconds counts as the
 * end of its millisecond.
 */
export const latest = (...times: readonly (string | undefined)[]): string =>
  times.reduce<string>((last, time) => (time !== undefined && time > last ? time : last), "");

const ISO =
  /^(\d{4})-(\d\d)-(\d\d)(?:[T ](\d\d):(\d\d)(?::(\d\d)(?:[.,](\d{1,9}))?)?)?\s*(Z|[+-]\d\d(?::?\d\d)?)?$/i;

/**
 * A time a client sent, in UTC, with the microseconds it has: clients compare what they read with what they sent. Without a
 * zone it is UTC. undefined when it is no time.
 */
export function parseTime(text: unknown): string | undefined {
  if (typeof text !== "string") return undefined;
  const parts = ISO.exec(text.trim());
  if (!parts) return undefined;
  const [, year, month, day, hour = "00", minute = "00", second = "00", fraction = "0", zone = "Z"] = parts;
  const digits = fraction.padEnd(6, "0");
  const [millis, micros] = [digits.slice(0, 3), digits.slice(3, 6)];
  const ms = Date.parse(`${year}-${month}-${day}T${hour}:${minute}:${second}.${millis}${offset(zone)}`);
  if (Number.isNaN(ms)) return undefined;
  const time = timestamp(ms);
  return micros === "000" ? time : `${time.slice(0, -1)}${micros}Z`;
}

const offset = (zone: string): string => {
  if (zone.toUpperCase() === "Z") return "Z";
  const digits = zone.slice(1).replace(":", "").padEnd(4, "0");
  return `${zone[0]}${digits.slice(0, 2)}:${digits.slice(2)}`;
};
