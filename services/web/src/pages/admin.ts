import { renderPage } from "@elara/runtime/pages/render";
import type { FastifyInstance } from "fastify";
import type { WebDeps } from "../deps.ts";
import { apiTime } from "../models/api-time.ts";
import { userLastActivity } from "../models/user-model.ts";
import { serverCard } from "./server-card.ts";
import { serverUrls } from "./server-urls.ts";

const PAGE_SIZE = 50;

/** `/hub/admin`: users and their servers, page by page, with start and stop. */
export function adminPage(app: FastifyInstance, deps: WebDeps): void {
  const { hub, reads } = deps;
  app.get<{ Querystring: Readonly<Record<string, string | undefined>> }>(
    "/admin",
    { config: { access: { kind: "page", anyOf: ["admin-ui"] } } },
    async (request, reply) => {
      const offset = Math.max(0, Number.parseInt(request.query.offset ?? "0", 10) || 0);
      const nameFilter = (request.query.name_filter ?? "").trim();
      const page = await reads.usersPage({
        sort: "name",
        offset,
        limit: PAGE_SIZE,
        ...(nameFilter === "" ? {} : { nameContains: nameFilter }),
      });
      const ids = page.items.map((user) => user._id);
      const [servers, timesOf] = await Promise.all([reads.serversOfUsers(ids), reads.timesOfMany(ids)]);
      const rows = page.items.map((user) => {
        const times = timesOf(user._id);
        const cards = (servers.get(user._id) ?? [])
          .sort(byName)
          .map((server) =>
            serverCard(server, { baseUrl: hub.baseUrl, times: times(`s:${server._id}`), next: request.url }),
          );
        return {
          name: user.name,
          isAdmin: user.admin,
          isDeleting: user.deletingAt !== "",
          lastActivity: apiTime(userLastActivity(user, times(`u:${user._id}`))) ?? "",
          servers: cards,
          startUrl: serverUrls(hub.baseUrl, user.name, "").spawn,
        };
      });
      return renderPage(reply, "admin", {
        title: "Administration",
        page: "admin",
        rows,
        nameFilter,
        self: request.url,
        pager: pager(offset, page.total, nameFilter),
      });
    },
  );
}

const byName = (a: { name: string }, b: { name: string }): number => (a.name < b.name ? -1 : 1);

const pager = (offset: number, total: number, nameFilter: string) => {
  const at = (start: number): string =>
    `?${new URLSearchParams({ ...(nameFilter === "" ? {} : { name_filter: nameFilter }), offset: String(start) })}`;
  return {
    total,
    first: total === 0 ? 0 : offset + 1,
    last: Math.min(offset + PAGE_SIZE, total),
    previous: offset > 0 ? at(Math.max(0, offset - PAGE_SIZE)) : "",
    next: offset + PAGE_SIZE < total ? at(offset + PAGE_SIZE) : "",
  };
};
