import { HubError } from "@elara/contracts";
import { isApiPath, pathOf } from "@elara/runtime/http/paths";
import type { FastifyInstance } from "fastify";
import type { WebDeps } from "../deps.ts";

const nothingHere = (): HubError =>
  new HubError("NOT_FOUND", {
    message: "There is nothing at this address. The link may be old or mistyped.",
  });

/** What has no route at the door and is not under `/hub/`: on to the same path below it (contract §4.5). */
export function outsidePaths(app: FastifyInstance, { hub }: WebDeps): void {
  const access = { kind: "public" } as const;
  const hubPrefix = `${hub.baseUrl}hub`;
  app.get(hubPrefix, { config: { access } }, (_request, reply) => reply.redirect(`${hubPrefix}/`, 301));
  app.get(`${hub.baseUrl}*`, { config: { access } }, (request, reply) => {
    if (request.url.startsWith(`${hubPrefix}/`))
      throw isApiPath(hub, pathOf(request.url)) ? new HubError("NOT_FOUND") : nothingHere();
    return reply.redirect(`${hubPrefix}/${request.url.slice(hub.baseUrl.length)}`);
  });
  // A page of the stopped server still asks: as from JupyterHub, it is refused and not redirected.
  app.route({
    method: ["POST", "PUT", "PATCH", "DELETE"],
    url: `${hub.baseUrl}user/*`,
    config: { access, body: "unread" },
    handler: async (request) => {
      throw new HubError("XSRF_MISSING", { message: `'_xsrf' argument missing from ${request.method}` });
    },
  });
}
