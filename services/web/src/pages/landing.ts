import type { FastifyInstance } from "fastify";
import { callerOf } from "../api/caller.ts";
import type { WebDeps } from "../deps.ts";
import { isReachable } from "../models/server-state.ts";

/** `/hub/`: on to one's own server when it is there, else to where it is started. */
export function landingPage(app: FastifyInstance, deps: WebDeps): void {
  const { hub, config, reads } = deps;
  app.get(
    "/",
    { prefixTrailingSlash: "slash", config: { access: { kind: "page" } } },
    async (request, reply) => {
      if (!config.redirectToServer) return reply.redirect(`${hub.baseUrl}hub/home`);
      const own = await reads.serverByName(callerOf(request).userId, "");
      return reply.redirect(own && isReachable(own) ? own.path : `${hub.baseUrl}hub/spawn`);
    },
  );
}
