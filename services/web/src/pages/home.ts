import { renderPage } from "@elara/runtime/pages/render";
import type { FastifyInstance } from "fastify";
import { callerOf } from "../api/caller.ts";
import type { WebDeps } from "../deps.ts";
import { serverCard } from "./server-card.ts";
import { serverUrls } from "./server-urls.ts";

/** `/hub/home`: one's own server with its buttons, and named servers where there are any or may be. */
export function homePage(app: FastifyInstance, deps: WebDeps): void {
  const { hub, reads } = deps;
  app.get("/home", { config: { access: { kind: "page" } } }, async (request, reply) => {
    const { userId, name } = callerOf(request);
    const [servers, times, profiles] = await Promise.all([
      reads.serversOfUser(userId),
      reads.times(userId),
      reads.profiles(),
    ]);
    const cards = servers.map((server) =>
      serverCard(server, {
        baseUrl: hub.baseUrl,
        times: times(`s:${server._id}`),
        next: `${hub.baseUrl}hub/home`,
        profiles,
      }),
    );
    const named = cards.filter((card) => card.name !== "");
    return renderPage(reply, "home", {
      title: "Home",
      page: "home",
      own: cards.find((card) => card.name === ""),
      startUrl: serverUrls(hub.baseUrl, name, "").spawn,
      named,
      mayAdd: hub.namedServers,
      showNamed: hub.namedServers || named.length > 0,
      spawnBase: serverUrls(hub.baseUrl, name, "").spawn,
    });
  });
}
