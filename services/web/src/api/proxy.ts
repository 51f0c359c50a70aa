import { originOf } from "@elara/runtime/http/paths";
import type { FastifyInstance } from "fastify";
import type { WebDeps } from "../deps.ts";
import { apiTime } from "../models/api-time.ts";
import { listBody, sliceOf } from "../models/pagination.ts";
import { serverLastActivity } from "../models/server-model.ts";

const access = { kind: "scopes", anyOf: ["proxy"] } as const;

/** The routing table as JupyterHub shows it, read from the ledger (contract §1.3). */
export function proxyRoutes(app: FastifyInstance, deps: WebDeps): void {
  app.get<{ Querystring: Record<string, string> }>("/proxy", { config: { access } }, async (request) => {
    const slice = sliceOf(request.query, request.headers.accept, deps.config);
    const routes = await allRoutes();
    const shown = routes.slice(slice.offset, slice.offset + slice.limit);
    const table = Object.fromEntries(shown.map((route) => [route.routespec, route]));
    const url = new URL(request.url, originOf(request, deps.hub));
    return listBody(table, slice, routes.length, url);
  });

  // Proxies follow the ledger by themselves, each second: there is nothing to be put right.
  app.post("/proxy", { config: { access } }, async (_request, reply) => reply.send(""));

  async function allRoutes() {
    const servers = [];
    let after: string | undefined;
    do {
      const page = await deps.reads.routedPage(after);
      servers.push(...page.items);
      after = page.next;
    } while (after !== undefined);
    const timesOf = await deps.reads.timesOfMany(servers.map((server) => server.userId));
    const routes = servers.map((server) => ({
      routespec: server.path,
      target: server.url,
      data: {
        user: server.userName,
        server_name: server.name,
        last_activity: apiTime(serverLastActivity(server, timesOf(server.userId)(`s:${server._id}`))),
      },
    }));
    const hub = { routespec: deps.hub.baseUrl, target: deps.hub.network.internalUrl, data: { hub: true } };
    return [hub, ...routes.sort((a, b) => (a.routespec < b.routespec ? -1 : 1))];
  }
}
