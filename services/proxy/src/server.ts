import http, { type IncomingMessage, type ServerResponse } from "node:http";
import https from "node:https";
import type { Socket } from "node:net";
import type { Duplex } from "node:stream";
import { codeOf } from "@elara/contracts";
import { MAX_HEAD_BYTES } from "@elara/runtime/http/upstreams-leg";
import type { Certificate } from "./certificate.ts";

/** Who answers what arrives at a listener. */
export interface DoorHandler {
  request(request: IncomingMessage, response: ServerResponse): void;
  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void;
}

/**
 * An HTTP server for a door: strict parser, no limit on how long a body may take, no idle limit for WebSockets, an
 * `Expect: 100-continue` left to who takes the body.
 */
export function doorServer(
  handler: DoorHandler,
  certificate?: Pick<Certificate, "cert" | "key">,
): http.Server {
  const options: http.ServerOptions = {
    requestTimeout: 0,
    headersTimeout: 60_000,
    keepAliveTimeout: 65_000,
    maxHeaderSize: MAX_HEAD_BYTES,
    insecureHTTPParser: false,
    // HTTP/2 over clear text is declined by going on in HTTP/1.1, as the protocol foresees.
    shouldUpgradeCallback: (request) => request.headers.upgrade?.toLowerCase() !== "h2c",
  };
  const server = certificate
    ? https.createServer({ ...options, cert: certificate.cert, key: certificate.key })
    : http.createServer(options);
  const onRequest = (request: IncomingMessage, response: ServerResponse) =>
    handler.request(request, response);
  server.on("request", onRequest);
  server.on("checkContinue", onRequest);
  server.on("upgrade", (request, socket, head) => handler.upgrade(request, socket, head));
  return server;
}

/** Refuses what the parser refused. While an answer is under way on the connection nothing is put into it. */
export function refuseBroken(error: Error, socket: Socket): void {
  if (socket.destroyed) return;
  const status = STATUS_BY_CODE[codeOf(error)] ?? "400 Bad Request";
  const body = JSON.stringify({
    status: Number(status.slice(0, 3)),
    message: status.slice(4),
    code: "PROXY_REQUEST_INVALID",
  });
  if (socket.writable && !answering.has(socket) && codeOf(error) !== "ECONNRESET")
    socket.write(
      `HTTP/1.1 ${status}\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\nConnection: close\r\n\r\n${body}`,
    );
  socket.destroySoon();
}

const STATUS_BY_CODE: Readonly<Record<string, string>> = {
  HPE_HEADER_OVERFLOW: "431 Request Header Fields Too Large",
  ERR_HTTP_REQUEST_TIMEOUT: "408 Request Timeout",
};

const answering = new WeakSet<Duplex>();

/** Remembers that an answer is under way on the request's connection. */
export function markAnswering(request: IncomingMessage, response: ServerResponse): void {
  const { socket } = request;
  answering.add(socket);
  response.once("close", () => answering.delete(socket));
}
