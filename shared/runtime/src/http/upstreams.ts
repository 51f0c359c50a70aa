import type { IncomingMessage, ServerResponse } from "node:http";
import type { ServiceName } from "@elara/contracts";

/** Where requests for another service go: straight into its app in process, or to a live instance over HTTP. */
export interface Upstreams {
  /**
   * Passes the request on, body unread, and answers it. 503 PROXY_NO_UPSTREAM with Retry-After when nobody lives.
   * In process: the service's Fastify routing; over the network: a live instance, another one is tried when the
   * connection is refused before anything was sent; with none left it is looked, for 1 s at the most, who has just come.
   */
  forward(service: ServiceName, request: IncomingMessage, response: ServerResponse): void;
  close(): Promise<void>;
}
