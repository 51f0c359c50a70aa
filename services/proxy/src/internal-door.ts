import { HubError } from "@elara/contracts";
import type { HubConfig } from "@elara/runtime/config/hub";
import { isApiPath, pathOf } from "@elara/runtime/http/paths";
import type { Upstreams } from "@elara/runtime/http/upstreams";
import { answerFailure } from "@elara/runtime/http/upstreams-failure";
import { toService } from "./hub-requests.ts";
import { requestFault } from "./request-fault.ts";
import type { RouteBook } from "./route-book.ts";
import { type DoorHandler, markAnswering } from "./server.ts";
import { plainResponse } from "./websockets.ts";

/** The door for running servers: the REST API and nothing else. */
export function internalDoor({
  hub,
  book,
  upstreams,
}: {
  readonly hub: Pick<HubConfig, "baseUrl">;
  readonly book: Pick<RouteBook, "find">;
  readonly upstreams: Upstreams;
}): DoorHandler {
  return {
    request(request, response) {
      markAnswering(request, response);
      const fault = requestFault(request);
      if (fault)
        return answerFailure(request, response, new HubError("PROXY_REQUEST_INVALID", { detail: fault }));
      const path = pathOf(request.url ?? "/");
      const to = isApiPath(hub, path) ? book.find(path) : undefined;
      if (to?.kind !== "service") return answerFailure(request, response, new HubError("NOT_FOUND"));
      toService(upstreams, to.service, request, response, false);
    },
    upgrade(request, socket) {
      socket.on("error", () => socket.destroy());
      answerFailure(request, plainResponse(request, socket), new HubError("NOT_FOUND"));
    },
  };
}
