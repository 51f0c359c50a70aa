import http, { type IncomingMessage, type ServerResponse } from "node:http";
import https from "node:https";
import type { Socket } from "node:net";
import type { Duplex } from "node:stream";
import { codeOf, HubError } from "@elara/contracts";
import { failureReply } from "@elara/runtime/http/upstreams-failure";
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
  if (socket.writable && !answering.has(socket) && codeOf(error) !== "ECONNRESET")
    socket.write(refusalOf(codeOf(error)));
  socket.destroySoon();
}

function refusalOf(parserCode: string): string {
  const fault = FAULTS[parserCode] ?? new HubError("PROXY_REQUEST_INVALID");
  // Nobody knows who asked: a head that is too large is a browser's with many cookies, else it is a program.
  const { headers, body } = failureReply(fault, fault.code === "PROXY_REQUEST_INVALID");
  const lines = Object.entries({ ...headers, Connection: "close" }).map(
    ([name, value]) => `${name}: ${value}\r\n`,
  );
  return `HTTP/1.1 ${fault.status} ${http.STATUS_CODES[fault.status]}\r\n${lines.join("")}\r\n${body}`;
}

const FAULTS: Readonly<Record<string, HubError>> = {
  HPE_HEADER_OVERFLOW: new HubError("PROXY_HEAD_TOO_LARGE"),
  ERR_HTTP_REQUEST_TIMEOUT: new HubError("PROXY_REQUEST_INVALID", {
    status: 408,
    message: "Request Timeout",
  }),
};

const answering = new WeakSet<Duplex>();

/** Remembers that an answer is under way on the request's connection. */
export function markAnswering(request: IncomingMessage, response: ServerResponse): void {
  const { socket } = request;
  answering.add(socket);
  response.once("close", () => answering.delete(socket));
}
