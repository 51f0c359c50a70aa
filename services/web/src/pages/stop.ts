import type { FastifyInstance } from "fastify";
import { callerOf } from "../api/caller.ts";
import type { WebDeps } from "../deps.ts";
import { serverState } from "../models/server-state.ts";
import { orderStop } from "../orders.ts";
import { nextOf, pageResource, readServerPage, type ServerPage, serverPagePaths } from "./page-params.ts";
import { serverUrls } from "./server-urls.ts";

/** The stop button of every page: orders the stop, then shows how it goes. */
export function stopForm(app: FastifyInstance, deps: WebDeps): void {
  const access = { kind: "page", anyOf: ["delete:servers"], resource: pageResource } as const;
  for (const url of serverPagePaths("stop"))
    app.post<ServerPage>(url, { config: { access } }, async (request, reply) => {
      const { user, serverName, server } = await readServerPage(request, deps);
      const after = nextOf(request, deps) ?? `${deps.hub.baseUrl}hub/home`;
      if (!server || !serverState(server).active) return reply.redirect(after, 303);
      const { stopped } = await orderStop(deps.bus, { user, server, by: callerOf(request) }, false);
      const { pending } = serverUrls(deps.hub.baseUrl, user.name, serverName, after);
      return reply.redirect(stopped ? after : pending, 303);
    });
}
