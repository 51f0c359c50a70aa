import { clearHubCookies } from "@elara/runtime/http/cookies";
import { hubPath } from "@elara/runtime/http/paths";
import { renderPage } from "@elara/runtime/pages/render";
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import type { Ground } from "../ground.ts";
import type { SessionBook } from "../people/session-book.ts";
import { isForeign } from "./foreign.ts";
import { sessionOf } from "./login-routes.ts";

/**
 * `/hub/logout`. JupyterLab's Log Out ends in a GET here, so a GET logs out; but not one another site has made:
 * that one is asked to press a button. Where browsers do not tell, all that a forced log-out costs is logging in again.
 */
export function logoutRoutes(app: FastifyInstance, ground: Ground, sessions: SessionBook): void {
  const { hub } = ground;
  const url = `${hubPath(hub)}logout`;
  const config = { access: { kind: "public" } } as const;

  const leave = async (request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> => {
    const session = await sessionOf(request, sessions);
    if (session) await sessions.end(session._id);
    clearHubCookies(reply, hub);
    return reply.redirect(`${hubPath(hub)}login`);
  };

  app.get(url, { config }, async (request, reply) => {
    const session = await sessionOf(request, sessions);
    if (session && isForeign(request, hub))
      return renderPage(reply.status(403), "logout", { title: "Log out?", action: url });
    return leave(request, reply);
  });
  app.post(url, { config }, async (request, reply) => {
    if (await sessionOf(request, sessions)) app.xsrf.check(request);
    return leave(request, reply);
  });
}
