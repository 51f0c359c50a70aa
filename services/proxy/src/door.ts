import type { IncomingMessage, ServerResponse } from "node:http";
import type { Duplex } from "node:stream";
import { HubError } from "@elara/contracts";
import type { HubConfig } from "@elara/runtime/config/hub";
import { pathOf } from "@elara/runtime/http/paths";
import type { Upstreams } from "@elara/runtime/http/upstreams";
import { answerFailure } from "@elara/runtime/http/upstreams-failure";
import type { Logger } from "pino";
import { toService } from "./hub-requests.ts";
import { type NotebookParts, notebookTraffic, toServer } from "./notebooks.ts";
import { requestFault, toOriginForm, upgradeFault } from "./request-fault.ts";
import type { Destination, RouteEntry } from "./route-book.ts";
import { type DoorHandler, markAnswering } from "./server.ts";
import { unroutedTraffic } from "./unrouted.ts";
import { plainResponse, type WebSockets } from "./websockets.ts";

export interface PublicDoorParts extends Omit<NotebookParts, "unrouted" | "home"> {
  readonly hub: Pick<HubConfig, "baseUrl" | "publicUrl" | "network">;
  readonly upstreams: Upstreams;
  readonly sockets: WebSockets;
  /** Answers the proxy's own few paths. */
  readonly own: (request: IncomingMessage, response: ServerResponse) => void;
  readonly log: Logger;
}

/** Paths that the proxy answers itself, whatever the base URL. */
const OWN = new Set(["/_chp_healthz"]);

/** The public door: hub paths to the services, routed paths to servers, the rest to the hub's explanations. */
export function publicDoor(parts: PublicDoorParts): DoorHandler {
  const { book, hub, upstreams, sockets, activity, log } = parts;
  const home = `${hub.baseUrl}hub/home`;
  const unrouted = unroutedTraffic({ hub, upstreams });
  const notebooks = notebookTraffic({ ...parts, home, unrouted });

  const refuse = (request: IncomingMessage, response: ServerResponse, fault: string) => {
    log.info({ fault, client: request.socket.remoteAddress }, "request refused");
    answerFailure(request, response, new HubError("PROXY_REQUEST_INVALID", { detail: fault }));
  };

  /** Where the request goes, by what is known or by asking the store; undefined: nowhere. */
  function destinationOf(
    request: IncomingMessage,
  ): Destination | undefined | Promise<Destination | undefined> {
    const path = request.url ?? "/";
    const known = book.find(path);
    if (known?.kind === "service") return known;
    if (known) return book.confirmed(known);
    return book.lookUp(path, { fresh: /[?&]redirects=/.test(path) }).catch((error: unknown) => {
      log.info({ err: error }, "route not known and store away");
      return undefined;
    });
  }

  function pass(to: Destination | undefined, request: IncomingMessage, response: ServerResponse): void {
    if (!to) unrouted(request, response);
    else if (to.kind === "service") {
      toService(upstreams, to.service, request, response, hub.network.behindProxy);
    } else notebooks.pass(to, request, response);
  }

  function openSocket(
    entry: RouteEntry,
    request: IncomingMessage,
    socket: Duplex,
    head: Buffer,
    isSecond: boolean,
  ): void {
    const fail = (cause: Error) => {
      log.info({ path: entry.path, target: entry.url, err: cause }, "server did not take the websocket");
      const error = new HubError("PROXY_UPSTREAM_FAILED", { cause });
      answerFailure(request, plainResponse(request, socket), error, { home });
    };
    const again = async (error: Error) => {
      const now = await book.reread(entry).catch(() => entry);
      if (socket.destroyed) return;
      if (!now) unrouted(request, plainResponse(request, socket));
      else if (isSecond || now.url === entry.url) fail(error);
      else openSocket(now, request, socket, head, true);
    };
    sockets.open(entry.target, request, socket, head, {
      headers: toServer(request),
      onBytes: () => activity.touch(entry),
      failed: fail,
      refused: (error) => void again(error),
    });
  }

  /** A fault of ours ends one request, never the process. */
  const guard = (
    request: IncomingMessage,
    response: () => ServerResponse,
    work: () => void | Promise<void>,
  ) => {
    const fault = (error: unknown) => {
      log.error({ err: error }, "request failed inside the proxy");
      answerFailure(request, response(), new HubError("INTERNAL", { cause: error }));
    };
    try {
      work()?.catch(fault);
    } catch (error) {
      fault(error);
    }
  };

  return {
    request(request, response) {
      markAnswering(request, response);
      guard(
        request,
        () => response,
        () => {
          toOriginForm(request);
          const fault = requestFault(request);
          if (fault) return refuse(request, response, fault);
          if (OWN.has(pathOf(request.url ?? "/"))) return parts.own(request, response);
          const to = destinationOf(request);
          if (!(to instanceof Promise)) return pass(to, request, response);
          return to.then((found) => {
            if (!response.destroyed) pass(found, request, response);
          });
        },
      );
    },
    upgrade(request, socket, head) {
      socket.on("error", () => socket.destroy());
      const plain = () => plainResponse(request, socket);
      guard(request, plain, () => {
        toOriginForm(request);
        const fault = upgradeFault(request);
        if (fault) return refuse(request, plain(), fault);
        const take = (to: Destination | undefined) => {
          if (socket.destroyed) return;
          if (to && to.kind !== "service") openSocket(to, request, socket, head, false);
          else pass(to, request, plain());
        };
        const to = destinationOf(request);
        return to instanceof Promise ? to.then(take) : take(to);
      });
    },
  };
}
