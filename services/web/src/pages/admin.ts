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
      const { after, before } = request.query;
      const prefix = (request.query.name_filter ?? "").trim().toLowerCase();
      const page = await reads.usersByNameRange({
        prefix,
        limit: PAGE_SIZE,
        ...(before ? { before } : after ? { after } : {}),
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
        nameFilter: prefix,
        self: request.url,
        pager: pager(prefix, {
          first: page.items[0]?.name ?? "",
          last: page.items.at(-1)?.name ?? "",
          hasPrevious: before ? page.more : Boolean(after),
          hasNext: before ? true : page.more,
        }),
      });
    },
  );
}

const byName = (a: { name: string }, b: { name: string }): number => (a.name < b.name ? -1 : 1);

interface Stretch {
  readonly first: string;
  readonly last: string;
  readonly hasPrevious: boolean;
  readonly hasNext: boolean;
}

/** Pages go on from a name, so that a page far behind costs what the first one does. */
const pager = (prefix: string, { first, last, hasPrevious, hasNext }: Stretch) => {
  const at = (place: Readonly<Record<string, string>>): string =>
    `?${new URLSearchParams({ ...(prefix === "" ? {} : { name_filter: prefix }), ...place })}`;
  return {
    first,
    last,
    isAll: !hasPrevious && !hasNext,
    previous: hasPrevious && first !== "" ? at({ before: first }) : "",
    next: hasNext && last !== "" ? at({ after: last }) : "",
  };
};
