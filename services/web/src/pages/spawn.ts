import { codeOf } from "@elara/contracts";
import type { FastifyInstance } from "fastify";
import { callerOf } from "../api/caller.ts";
import type { WebDeps } from "../deps.ts";
import { checkServerName } from "../models/server-name.ts";
import { isReachable, serverState } from "../models/server-state.ts";
import { orderStart } from "../orders.ts";
import { nextOf, pageResource, readServerPage, type ServerPage, serverPagePaths } from "./page-params.ts";
import { serverUrls } from "./server-urls.ts";

/** `/hub/spawn[/user[/server]]`: starts at once, since there is no form to fill in, and goes on to the pending page. */
export function spawnPage(app: FastifyInstance, deps: WebDeps): void {
  const access = { kind: "page", anyOf: ["start:servers"], resource: pageResource } as const;
  for (const url of serverPagePaths("spawn"))
    app.route<ServerPage>({
      method: ["GET", "POST"],
      url,
      config: { access },
      async handler(request, reply) {
        const { user, serverName, server } = await readServerPage(request, deps);
        const next = nextOf(request, deps);
        const { pending } = serverUrls(deps.hub.baseUrl, user.name, serverName, next);
        if (server && isReachable(server)) return reply.redirect(next ?? server.path);
        if (server && serverState(server).pending === "spawn") return reply.redirect(pending);
        if (serverName !== "" && !server) checkServerName(serverName);
        try {
          await orderStart(deps.bus, { user, serverName, by: callerOf(request) }, {});
        } catch (error) {
          // Somebody else was quicker; the pending page knows what to do with a server that is there.
          if (codeOf(error) !== "SERVER_RUNNING") throw error;
        }
        return reply.redirect(pending);
      },
    });
}
