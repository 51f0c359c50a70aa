import type { IncomingMessage, ServerResponse } from "node:http";
import type { HubConfig } from "@elara/runtime/config/hub";
import type { Upstreams } from "@elara/runtime/http/upstreams";
import { toService } from "./hub-requests.ts";

/**
 * What happens on paths that lead nowhere: a browser is sent to the hub's page for the path (`/user/ada/lab` →
 * `/hub/user/ada/lab`), which explains or starts; any other method is answered by web as if it had come there.
 */
export function unroutedTraffic({
  hub,
  upstreams,
}: {
  readonly hub: Pick<HubConfig, "baseUrl" | "publicUrl" | "network">;
  readonly upstreams: Upstreams;
}): (request: IncomingMessage, response: ServerResponse) => void {
  return (request, response) => {
    const path = hubPathOf(request.url ?? "/", hub.baseUrl);
    if (request.method === "GET") {
      response.writeHead(302, {
        Location: hub.publicUrl + path,
        "Content-Length": 0,
        "Cache-Control": "no-store",
      });
      response.end();
      return;
    }
    request.url = path;
    toService(upstreams, "web", request, response, hub.network.behindProxy);
  };
}

/** The path with `hub/` put behind the base URL; query and escapes stay as they are. */
export function hubPathOf(url: string, baseUrl: string): string {
  const isBase = url.startsWith(baseUrl.slice(0, -1)) && /^(\?|$)/.test(url.slice(baseUrl.length - 1));
  const rest = url.startsWith(baseUrl)
    ? url.slice(baseUrl.length)
    : url.slice(isBase ? baseUrl.length - 1 : 1);
  return `${baseUrl}hub/${rest}`;
}
