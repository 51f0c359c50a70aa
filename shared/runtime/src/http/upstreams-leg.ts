import http, { type ClientRequest, type IncomingMessage, type ServerResponse } from "node:http";
import https from "node:https";
import { codeOf } from "@elara/contracts";
import { ConnectTimeout, connectTo } from "./upstreams-connect.ts";
import { endToEnd, type RawHeaders } from "./upstreams-headers.ts";
import type { Target } from "./upstreams-target.ts";

/** One request on its way to one target. */
export interface Passing {
  /** Path and query as they came. */
  readonly path: string;
  /** End-to-end header lines; the framing of the body is the leg's. */
  readonly headers: RawHeaders;
  /** The connection was not made; nothing was sent, the body is unread: another target may be tried. */
  readonly refused: (error: Error) => void;
  /** It failed behind that point and before an answer began: the caller answers. */
  readonly failed: (error: Error) => void;
  /** A piece of the request's body went through. */
  readonly onBody?: (() => void) | undefined;
  /** The answer's status is known. */
  readonly onStatus?: ((status: number) => void) | undefined;
}

/** The HTTP/1.1 side towards upstreams: streaming both ways, connections kept and reused per origin. */
export interface Leg {
  /** Passes the request on and streams the answer. The client gone ends the upstream, and the other way round. */
  pass(target: Target, request: IncomingMessage, response: ServerResponse, passing: Passing): void;
  /** Ends idle connections; those in use go on until done. */
  close(): void;
}

export interface LegOptions {
  /** A connection not made in this time counts as refused. */
  readonly connectMs?: number;
  /** An unused connection is kept this long. */
  readonly idleMs?: number;
}

/** Largest head of a request or answer that passes: Jupyter's cookies and tokens outgrow Node's 16 KiB. */
export const MAX_HEAD_BYTES = 64 * 1024;

/** May be sent a second time without harm (RFC 9110 §9.2.2, and WebDAV's reads). */
const IDEMPOTENT = new Set([
  "GET",
  "HEAD",
  "OPTIONS",
  "TRACE",
  "PUT",
  "DELETE",
  "PROPFIND",
  "REPORT",
  "SEARCH",
  "QUERY",
]); // prettier-ignore
/** What a kept connection says when the other side had closed it meanwhile. */
const STALE = new Set(["ECONNRESET", "EPIPE"]);

export function upstreamLeg({ connectMs = 5000, idleMs = 30_000 }: LegOptions = {}): Leg {
  const pool = { keepAlive: true, maxFreeSockets: 64, scheduling: "lifo", timeout: idleMs } as const;
  const agents = { plain: new http.Agent(pool), secure: new https.Agent(pool) };

  function open(target: Target, request: IncomingMessage, passing: Passing, fresh: boolean): ClientRequest {
    const options: http.RequestOptions = {
      host: target.host,
      port: target.port,
      method: request.method ?? "GET",
      path: target.path + passing.path,
      headers: [...passing.headers, ...framing(request)],
      setHost: false,
      maxHeaderSize: MAX_HEAD_BYTES,
      ...(fresh
        ? { createConnection: () => connectTo(target) }
        : { agent: target.secure ? agents.secure : agents.plain }),
    };
    return target.secure ? https.request(options) : http.request(options);
  }

  function pass(
    target: Target,
    request: IncomingMessage,
    response: ServerResponse,
    passing: Passing,
    fresh = false,
  ): void {
    const body = hasBody(request);
    let phase: "connecting" | "sent" | "answered" | "over" = "connecting";
    let timer: NodeJS.Timeout | undefined;
    let up: ClientRequest;
    try {
      up = open(target, request, passing, fresh);
    } catch (error) {
      // Node refuses to send what its own parser let in (a header value, a path): the message is at fault.
      passing.failed(asError(error));
      return;
    }

    const over = () => {
      phase = "over";
      clearTimeout(timer);
      response.off("close", gone);
    };
    const gone = () => {
      over();
      up.destroy();
    };
    const broken = (error: Error) => {
      // Behind the answer's head its own end or error decides: it may be complete though the connection broke.
      if (phase === "over" || phase === "answered") return;
      const was = phase;
      over();
      if (body) request.unpipe(up);
      if (was === "connecting") passing.refused(error);
      else if (isStale(up, error) && !body && !fresh && IDEMPOTENT.has(request.method ?? ""))
        pass(target, request, response, passing, true);
      else passing.failed(error);
    };
    const connected = () => {
      clearTimeout(timer);
      if (phase !== "connecting") return;
      phase = "sent";
      if (!body) return;
      if (passing.onBody) request.on("data", passing.onBody);
      request.pipe(up);
    };

    response.once("close", gone);
    up.on("socket", (socket) => {
      if (!socket.connecting) connected();
      else {
        timer = setTimeout(() => up.destroy(new ConnectTimeout(target)), connectMs);
        socket.once(target.secure ? "secureConnect" : "connect", connected);
      }
    });
    up.on("error", broken);
    up.on("close", () => broken(new Error("the upstream ended without an answer")));
    // An answer nobody asked for: switching protocols without an upgrade.
    up.on("upgrade", (_answer, socket) => {
      socket.destroy();
      broken(new Error("the upstream switched protocols unasked"));
    });
    // Never told so, a client whose body was not wanted gets its answer and the connection's end: Node sees to that.
    up.on("continue", () => response.writeContinue());
    up.on("information", (info) => passInformation(info, request, response));
    up.on("response", (answer) => {
      phase = "answered";
      passing.onStatus?.(answer.statusCode ?? 0);
      answer.on("end", over);
      answer.on("error", () => {
        over();
        response.destroy();
      });
      relay(answer, endToEnd(answer.rawHeaders), response);
    });
    if (body) up.flushHeaders();
    else up.end();
  }

  return {
    pass,
    close() {
      for (const agent of [agents.plain, agents.secure])
        for (const idle of Object.values(agent.freeSockets))
          for (const socket of idle ?? []) socket.destroy();
    },
  };
}

const asError = (error: unknown): Error => (error instanceof Error ? error : new Error(String(error)));

const isStale = (up: ClientRequest, error: Error): boolean => up.reusedSocket && STALE.has(codeOf(error));

/** Whether the request brings a body, by its framing. */
export const hasBody = (request: IncomingMessage): boolean =>
  request.headers["transfer-encoding"] !== undefined || Number(request.headers["content-length"] ?? 0) > 0;

/** Framing lines for the next hop: chunked again where it was; no body is said so, or Node would make it chunked. */
function framing(request: IncomingMessage): string[] {
  if (request.headers["transfer-encoding"] !== undefined) return ["Transfer-Encoding", "chunked"];
  if (request.headers["content-length"] !== undefined) return [];
  const wantsLength = ["POST", "PUT", "PATCH"].includes(request.method ?? "");
  return wantsLength ? ["Content-Length", "0"] : [];
}

function relay(answer: IncomingMessage, headers: string[], response: ServerResponse): void {
  response.writeHead(answer.statusCode ?? 502, answer.statusMessage ?? "", headers);
  let began = false;
  answer.once("data", () => {
    began = true;
  });
  answer.pipe(response);
  // Head and first piece travel in one packet when they came in one; a head alone does not wait for a body.
  setImmediate(() => {
    if (!began && !response.destroyed) response.flushHeaders();
  });
}

/** 1xx answers that Node can write; others are dropped, which HTTP allows. */
function passInformation(
  info: http.InformationEvent,
  request: IncomingMessage,
  response: ServerResponse,
): void {
  if (request.httpVersionMinor === 0 || response.headersSent) return;
  if (info.statusCode === 102) response.writeProcessing();
  else if (info.statusCode === 103 && info.headers.link)
    response.writeEarlyHints({ link: info.headers.link });
}
