import type { IncomingMessage } from "node:http";
import { valuesOf } from "@elara/runtime/http/upstreams-headers";

/**
 * What is wrong with a request that two readers could read differently; undefined when nothing is. Node's strict
 * parser has refused conflicting lengths, folded headers and bare line ends before; this is the rest.
 */
export function requestFault(request: IncomingMessage): string | undefined {
  const encoding = request.headers["transfer-encoding"];
  if (encoding !== undefined && encoding.toLowerCase() !== "chunked")
    return "Transfer-Encoding other than chunked";
  if (encoding !== undefined && request.httpVersionMinor === 0) return "Transfer-Encoding in HTTP/1.0";
  if (valuesOf(request.rawHeaders, "host").length > 1) return "more than one Host";
  if (!request.url?.startsWith("/")) return "the request target is no path";
  return undefined;
}

/** Same for an upgrade: its body would be read as the first bytes of the new protocol. */
export function upgradeFault(request: IncomingMessage): string | undefined {
  if (
    request.headers["transfer-encoding"] !== undefined ||
    Number(request.headers["content-length"] ?? 0) > 0
  )
    return "an upgrade with a body";
  if (request.method !== "GET") return "an upgrade that is no GET";
  return requestFault(request);
}

/** Turns `http://host/path` into `/path`, as every server must accept it; another host than in Host is left as it is. */
export function toOriginForm(request: IncomingMessage): void {
  const [, authority, path] = /^https?:\/\/([^/?#]+)(.*)$/i.exec(request.url ?? "") ?? [];
  if (authority?.toLowerCase() !== request.headers.host?.toLowerCase() || path === undefined) return;
  request.url = path.startsWith("/") ? path : `/${path}`;
}
