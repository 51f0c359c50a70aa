import type { IncomingMessage } from "node:http";
import { without } from "../http/upstreams-headers.ts";

const HEADERS = ["traceparent", "tracestate", "baggage"] as const;
const NAMES: ReadonlySet<string> = new Set(HEADERS);

/** The traceparent a request came with; "" without. */
export function traceparentOf(request: IncomingMessage): string {
  const { traceparent } = request.headers;
  return typeof traceparent === "string" ? traceparent : "";
}

/** Puts this traceparent in the place of all that the request came with about traces; "": none. */
export function setTraceparent(request: IncomingMessage, traceparent: string): void {
  if (traceparent === "" && !HEADERS.some((name) => request.headers[name] !== undefined)) return;
  const own = traceparent === "" ? [] : ["traceparent", traceparent];
  const lines = [...without(request.rawHeaders, NAMES), ...own];
  request.rawHeaders.splice(0, request.rawHeaders.length, ...lines);
  for (const name of HEADERS) delete request.headers[name];
  if (traceparent !== "") request.headers.traceparent = traceparent;
}
