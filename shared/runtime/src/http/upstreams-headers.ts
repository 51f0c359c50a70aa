import type { IncomingMessage } from "node:http";
import type { Socket } from "node:net";
import { TLSSocket } from "node:tls";

/** Header lines as they came: name, value, name, value. Order, case and repetition are kept on the way through. */
export type RawHeaders = readonly string[];

const HOP_BY_HOP = new Set([
  "connection",
  "keep-alive",
  "proxy-connection",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
]);
/** Never dropped, whatever a Connection header names: without them the message would mean something else. */
const ESSENTIAL = new Set(["host", "content-length"]);

/** The header lines meant for the other end: without those of this hop and those that Connection names. */
export function endToEnd(raw: RawHeaders): string[] {
  const named = new Set<string>();
  for (const [name, value] of lines(raw)) {
    if (name.toLowerCase() !== "connection") continue;
    for (const token of value.toLowerCase().split(",")) named.add(token.trim());
  }
  const kept: string[] = [];
  for (const [name, value] of lines(raw)) {
    const key = name.toLowerCase();
    if (HOP_BY_HOP.has(key) || (named.has(key) && !ESSENTIAL.has(key))) continue;
    kept.push(name, value);
  }
  return kept;
}

/** The lines without those of the given names (lower case). */
export function without(raw: RawHeaders, names: ReadonlySet<string>): string[] {
  const kept: string[] = [];
  for (const [name, value] of lines(raw)) if (!names.has(name.toLowerCase())) kept.push(name, value);
  return kept;
}

/** All values of one header (lower-case name), in order. */
export function valuesOf(raw: RawHeaders, name: string): string[] {
  const values: string[] = [];
  for (const [key, value] of lines(raw)) if (key.toLowerCase() === name) values.push(value);
  return values;
}

/** The header lines pair by pair. */
export function* lines(raw: RawHeaders): Generator<readonly [string, string]> {
  for (let i = 0; i + 1 < raw.length; i += 2) yield [raw[i] ?? "", raw[i + 1] ?? ""];
}

/** What this hop knows of the client: the four X-Forwarded values. */
export interface Forwarded {
  readonly for: string;
  readonly proto: string;
  readonly port: string;
  readonly host: string;
}

/** What this hop sees of the client on the wire. */
export function seenOf(request: IncomingMessage): Forwarded {
  const host = request.headers.host ?? "";
  const proto = isEncrypted(request.socket) ? "https" : "http";
  return {
    for: request.socket.remoteAddress ?? "",
    proto,
    port: /:(\d+)$/.exec(host)?.[1] ?? (proto === "https" ? "443" : "80"),
    host,
  };
}

const isEncrypted = (socket: Socket): boolean => socket instanceof TLSSocket;

export const FORWARDED_NAMES: ReadonlySet<string> = new Set([
  "x-forwarded-for",
  "x-forwarded-proto",
  "x-forwarded-port",
  "x-forwarded-host",
]);

/** The four headers as lines. */
export const forwardedLines = (forwarded: Forwarded): string[] => [
  "X-Forwarded-For",
  forwarded.for,
  "X-Forwarded-Proto",
  forwarded.proto,
  "X-Forwarded-Port",
  forwarded.port,
  "X-Forwarded-Host",
  forwarded.host,
];

/** Appends this hop to what came: for, proto and port grow by one; a host that came is kept. */
export function appendForwarded(raw: RawHeaders, seen: Forwarded): string[] {
  const grown = (name: string, own: string) => [...valuesOf(raw, name), own].join(",");
  return [
    ...without(raw, FORWARDED_NAMES),
    ...forwardedLines({
      for: grown("x-forwarded-for", seen.for),
      proto: grown("x-forwarded-proto", seen.proto),
      port: grown("x-forwarded-port", seen.port),
      host: valuesOf(raw, "x-forwarded-host")[0] ?? seen.host,
    }),
  ];
}
