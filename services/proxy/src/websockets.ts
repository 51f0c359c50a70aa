import http, { type IncomingMessage, ServerResponse } from "node:http";
import https from "node:https";
import { Socket } from "node:net";
import type { Duplex } from "node:stream";
import { ConnectTimeout, connectTo } from "@elara/runtime/http/upstreams-connect";
import { endToEnd, lines } from "@elara/runtime/http/upstreams-headers";
import { MAX_HEAD_BYTES } from "@elara/runtime/http/upstreams-leg";
import type { Target } from "@elara/runtime/http/upstreams-target";
import { splice } from "./splice.ts";

/**
 * A server that takes the connection and says nothing would hold both sockets for ever. Longer than jupyter_server
 * waits for a kernel before it answers an upgrade (`kernel_info_timeout`, 60 s).
 */
const ANSWER_MS = 90_000;

/** One upgrade on its way to one target. */
export interface Upgrading {
  readonly headers: readonly string[];
  /** The connection was not made. */
  readonly refused: (error: Error) => void;
  /** It failed behind that point, before an answer. */
  readonly failed: (error: Error) => void;
  /** Bytes went through, in either direction. */
  readonly onBytes: () => void;
}

/** WebSocket connections between clients and servers. */
export interface WebSockets {
  /** Hands the upgrade on; after 101 bytes are relayed both ways for as long as both sides want. */
  open(target: Target, request: IncomingMessage, socket: Duplex, head: Buffer, upgrading: Upgrading): void;
  readonly count: number;
  /** Ends all. */
  destroy(): void;
}

/** An answer for a client that asked for an upgrade and gets none; the connection ends with it. */
export function plainResponse(request: IncomingMessage, socket: Duplex): ServerResponse {
  const response = new ServerResponse(request);
  response.shouldKeepAlive = false;
  if (socket instanceof Socket) response.assignSocket(socket);
  response.once("finish", () => socket.end());
  socket.once("close", () => response.destroy());
  return response;
}

/** `connectMs` until the server takes the connection, then `answerMs` until it answers the upgrade. */
export function webSockets(connectMs: number, answerMs = ANSWER_MS): WebSockets {
  const open = new Set<Duplex>();

  return {
    open(target, request, socket, head, upgrading) {
      let phase: "connecting" | "sent" | "over" = "connecting";
      const up = (target.secure ? https : http).request({
        createConnection: () => connectTo(target),
        method: "GET",
        path: target.path + (request.url ?? "/"),
        headers: [
          ...upgrading.headers,
          "Connection",
          "Upgrade",
          "Upgrade",
          request.headers.upgrade ?? "websocket",
        ],
        setHost: false,
        maxHeaderSize: MAX_HEAD_BYTES,
      });
      let timer = setTimeout(() => up.destroy(new ConnectTimeout(target)), connectMs);
      const over = () => {
        phase = "over";
        clearTimeout(timer);
        socket.off("close", gone);
      };
      const gone = () => {
        over();
        up.destroy();
      };
      const broken = (error: Error) => {
        if (phase === "over") return;
        const was = phase;
        over();
        if (was === "connecting") upgrading.refused(error);
        else upgrading.failed(error);
      };
      socket.once("close", gone);
      up.on("socket", (upstream) =>
        upstream.once(target.secure ? "secureConnect" : "connect", () => {
          phase = "sent";
          clearTimeout(timer);
          timer = setTimeout(
            () => up.destroy(new Error(`no answer to the upgrade in ${answerMs} ms`)),
            answerMs,
          );
        }),
      );
      up.on("error", broken);
      up.on("close", () => broken(new Error("the upstream ended without an answer")));
      up.on("response", (answer) => {
        over();
        const response = plainResponse(request, socket);
        response.writeHead(answer.statusCode ?? 502, answer.statusMessage ?? "", endToEnd(answer.rawHeaders));
        answer.on("error", () => socket.destroy());
        socket.once("close", () => answer.destroy());
        answer.pipe(response);
      });
      up.on("upgrade", (answer, upstream, upstreamHead) => {
        over();
        socket.write(switching(answer), "latin1");
        if (upstreamHead.length > 0) socket.write(upstreamHead);
        if (head.length > 0) upstream.write(head);
        open.add(socket);
        socket.once("close", () => open.delete(socket));
        splice(socket, upstream, upgrading.onBytes);
        if (head.length > 0) upgrading.onBytes();
      });
      up.end();
    },
    get count() {
      return open.size;
    },
    destroy() {
      for (const socket of open) socket.destroy();
    },
  };
}

/** The head of the 101 as the server gave it. */
function switching(answer: IncomingMessage): string {
  let head = `HTTP/1.1 101 ${answer.statusMessage ?? "Switching Protocols"}\r\n`;
  for (const [name, value] of lines(answer.rawHeaders)) head += `${name}: ${value}\r\n`;
  return `${head}\r\n`;
}
