import type { IncomingMessage, ServerResponse } from "node:http";
import { HubError } from "@elara/contracts";
import { answerFailure } from "@elara/runtime/http/upstreams-failure";
import { appendForwarded, endToEnd, seenOf } from "@elara/runtime/http/upstreams-headers";
import type { Leg } from "@elara/runtime/http/upstreams-leg";
import type { Logger } from "pino";
import type { Activity } from "./activity.ts";
import type { RouteBook, RouteEntry } from "./route-book.ts";

export interface NotebookParts {
  readonly leg: Leg;
  readonly book: RouteBook;
  readonly activity: Activity;
  readonly log: Logger;
  /** Path of the hub's home page. */
  readonly home: string;
  /** Answers for a route that turned out to be gone. */
  readonly unrouted: (request: IncomingMessage, response: ServerResponse) => void;
}

/** What a server is sent: the client's own lines with Host as it came, and who asked, appended as a chain of proxies does. */
export const toServer = (request: IncomingMessage): string[] =>
  appendForwarded(endToEnd(request.rawHeaders), seenOf(request));

/** Passes requests on to routed servers, path and Host as they came. */
export function notebookTraffic(parts: NotebookParts) {
  const { leg, book, activity, log } = parts;

  function fail(entry: RouteEntry, request: IncomingMessage, response: ServerResponse, cause: Error): void {
    log.info({ path: entry.path, target: entry.url, err: cause }, "server did not answer");
    answerFailure(request, response, new HubError("PROXY_UPSTREAM_FAILED", { cause }), { home: parts.home });
  }

  function pass(
    entry: RouteEntry,
    request: IncomingMessage,
    response: ServerResponse,
    isSecond = false,
  ): void {
    const touch = () => activity.touch(entry);
    leg.pass(entry.target, request, response, {
      path: request.url ?? "/",
      headers: toServer(request),
      onBody: touch,
      onStatus: (status) => {
        if (status < 300) response.once("finish", touch);
      },
      failed: (error) => fail(entry, request, response, error),
      refused(error) {
        if (isSecond) fail(entry, request, response, error);
        else void again(entry, request, response, error);
      },
    });
  }

  /** The route may have moved: one more try, where the store says it leads now. */
  async function again(
    entry: RouteEntry,
    request: IncomingMessage,
    response: ServerResponse,
    error: Error,
  ): Promise<void> {
    const now = await book.reread(entry).catch(() => entry);
    if (response.destroyed) return;
    if (!now) parts.unrouted(request, response);
    else if (now.url === entry.url) fail(now, request, response, error);
    else pass(now, request, response, true);
  }

  return { pass };
}
