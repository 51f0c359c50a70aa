import { HubError, type ServiceName } from "@elara/contracts";
import type { FastifyInstance } from "fastify";
import type { Upstreams } from "./upstreams.ts";
import { answerFailure } from "./upstreams-failure.ts";

/** The services of this process. */
export interface LocalUpstreams extends Upstreams {
  /** From now on requests for the service go to this app, which is ready (`app.ready()`). The way out takes it back. */
  register(service: ServiceName, app: FastifyInstance): () => void;
}

/** Hands requests over in process: no socket, no copy, the service's Fastify instance routes them. */
export function localUpstreams(): LocalUpstreams {
  const apps = new Map<ServiceName, FastifyInstance>();
  return {
    register(service, app) {
      apps.set(service, app);
      return () => {
        if (apps.get(service) === app) apps.delete(service);
      };
    },
    forward(service, request, response) {
      const app = apps.get(service);
      if (!app) {
        answerFailure(request, response, new HubError("PROXY_NO_UPSTREAM", { detail: { service } }));
        return;
      }
      // The proxy's listener leaves this to whoever takes the body.
      if (request.headers.expect !== undefined && !response.headersSent) response.writeContinue();
      app.routing(request, response);
    },
    async close() {
      apps.clear();
    },
  };
}
