import { escapeName } from "@elara/runtime/http/paths";
import type { FastifyInstance } from "fastify";
import { callerOf } from "../api/caller.ts";
import type { WebDeps } from "../deps.ts";
import { serverUrls } from "./server-urls.ts";

/** `/hub/user-redirect/…`: one link for everybody, to the same place in each one's own server. */
export function userRedirectPage(app: FastifyInstance, { hub }: WebDeps): void {
  const prefix = `${hub.baseUrl}hub/user-redirect/`;
  app.get("/user-redirect/*", { config: { access: { kind: "page" } } }, async (request, reply) => {
    const { name } = callerOf(request);
    const next = `${hub.baseUrl}user/${escapeName(name)}/${request.url.slice(prefix.length)}`;
    return reply.redirect(serverUrls(hub.baseUrl, name, "", next).spawn);
  });
}
