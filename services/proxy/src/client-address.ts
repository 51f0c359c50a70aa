import type { IncomingMessage } from "node:http";
import {
  FORWARDED_NAMES,
  type Forwarded,
  forwardedLines,
  seenOf,
  valuesOf,
  without,
} from "@elara/runtime/http/upstreams-headers";

/** What a client could say about itself, besides the four. */
const CLAIMS: ReadonlySet<string> = new Set([
  ...FORWARDED_NAMES,
  "forwarded",
  "x-real-ip",
  "x-scheme",
  "x-forwarded-scheme",
  "x-forwarded-ssl",
  "x-forwarded-prefix",
]);

/**
 * Writes who the client is into the request, for the hub's own services: one value each, never what the client
 * claims. With a trusted proxy in front, what that one added last.
 */
export function stampClient(request: IncomingMessage, behindProxy: boolean): void {
  const seen = seenOf(request);
  const client = behindProxy ? trusted(request, seen) : seen;
  const lines = [...without(request.rawHeaders, CLAIMS), ...forwardedLines(client)];
  request.rawHeaders.splice(0, request.rawHeaders.length, ...lines);
  // Node has made `headers` of the old lines by now.
  for (const name of CLAIMS) delete request.headers[name];
  request.headers["x-forwarded-for"] = client.for;
  request.headers["x-forwarded-proto"] = client.proto;
  request.headers["x-forwarded-port"] = client.port;
  request.headers["x-forwarded-host"] = client.host;
}

function trusted(request: IncomingMessage, seen: Forwarded): Forwarded {
  const last = (name: string, otherwise: string) =>
    valuesOf(request.rawHeaders, name).join(",").split(",").at(-1)?.trim() || otherwise;
  const proto = last("x-forwarded-proto", seen.proto);
  return {
    for: last("x-forwarded-for", seen.for),
    proto,
    port: last("x-forwarded-port", proto === "https" ? "443" : seen.port),
    host: last("x-forwarded-host", seen.host),
  };
}
