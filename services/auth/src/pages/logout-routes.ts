import { clearHubCookies } from "@elara/runtime/http/cookies";
import { hubPath, originOf } from "@elara/runtime/http/paths";
import { renderPage } from "@elara/runtime/pages/render";
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import type { Ground } from "../ground.ts";
import type { SessionBook } from "../people/session-book.ts";
import { sessionOf } from "./login-routes.ts";

/**
 * `/hub/logout`. JupyterLab's Log Out ends in a GET here, so a GET logs out; but not one another site has made. Browsers
 * say where a navigation comes from (Sec-Fetch-Site), and a foreign one is asked to press a button. Browsers on plain HTTP
 * and scripts do not say it: then a Referer of another origin counts against them, and nothing else, since all that a
 * forced log-out costs is logging in again.
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
    if (session && isForeign(request))
      return renderPage(reply.status(403), "logout", { title: "Log out?", action: url });
    return leave(request, reply);
  });
  app.post(url, { config }, async (request, reply) => {
    if (await sessionOf(request, sessions)) app.xsrf.check(request);
    return leave(request, reply);
  });

  function isForeign(request: FastifyRequest): boolean {
    const {
      "sec-fetch-site": site,
      "sec-fetch-mode": mode,
      "sec-fetch-dest": dest,
      referer,
    } = request.headers;
    if (site !== undefined) {
      // `none`: typed, or a bookmark.
      if (site !== "same-origin" && site !== "none") return true;
      return mode !== "navigate" || (dest !== undefined && dest !== "document");
    }
    if (referer === undefined) return false;
    return !URL.canParse(referer) || new URL(referer).origin !== new URL(originOf(request, hub)).origin;
  }
}
