import { HubError } from "@elara/contracts";
import { prefersJson } from "@elara/runtime/http/accepts";
import { originOf, pathOf } from "@elara/runtime/http/paths";
import { renderPage } from "@elara/runtime/pages/render";
import { pause } from "@elara/runtime/pause";
import type { PublishedServer } from "@elara/runtime/store/read/servers";
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { callerOf } from "../api/caller.ts";
import type { WebDeps } from "../deps.ts";
import { faultOf } from "../models/failure.ts";
import { isReachable, serverState } from "../models/server-state.ts";
import { serverUrls } from "./server-urls.ts";

/** After so many rounds between hub and door something is wrong. */
const MAX_REDIRECTS = 4;

/** `/hub/user/…`: what the door sends here because it has no route. Tells what runs there, or why nothing does (contract §4.5). */
export function userPathPages(app: FastifyInstance, deps: WebDeps): void {
  for (const url of ["/user/:user", "/user/:user/*"])
    app.route<{ Params: { user: string }; Querystring: Readonly<Record<string, string | undefined>> }>({
      method: ["GET", "POST", "PUT", "PATCH", "DELETE"],
      url,
      config: { access: { kind: "page", tokens: true }, body: "unread" },
      async handler(request, reply) {
        const { serverName, server } = await findServer(request, request.params.user);
        if (request.method === "GET" && server && isReachable(server)) return sendOn(request, reply, server);
        const urls = serverUrls(deps.hub.baseUrl, request.params.user, serverName, request.url);
        if (wantsJson(request)) return notRunningJson(request, reply, request.params.user, serverName);
        if (server && (serverState(server).pending !== null || server.phase === "failed"))
          return reply.redirect(urls.pending, 303);
        return renderPage(reply.code(424), "not-running", {
          title: "Server not running",
          owner: request.params.user,
          serverName,
          urls,
          failure: server && faultOf(server),
        });
      },
    });

  /** A path element names a server only if the user has one of that name. Nobody learns about others' servers. */
  async function findServer(request: FastifyRequest, userName: string) {
    const { scopes } = callerOf(request);
    const user = await deps.reads.userByName(userName);
    const servers = user ? await deps.reads.serversOfUser(user._id) : [];
    const element = decoded(restOf(request).split("/")[0] ?? "");
    const server =
      servers.find(({ name }) => name !== "" && name === element) ?? servers.find(({ name }) => name === "");
    const serverName = server?.name ?? "";
    if (!user || !scopes.allows("access:servers", { user: userName, server: serverName }))
      throw new HubError("NOT_FOUND");
    return { serverName, server };
  }

  /** Behind `/hub/user/{name}/`, raw, without the query. */
  function restOf(request: FastifyRequest): string {
    const [, , ...rest] = pathOf(request.url)
      .slice(`${deps.hub.baseUrl}hub`.length + 1)
      .split("/");
    return rest.join("/");
  }

  /** The server is there but the door did not know it: back to it, a little later each time. */
  async function sendOn(
    request: FastifyRequest<{ Querystring: Readonly<Record<string, string | undefined>> }>,
    reply: FastifyReply,
    server: PublishedServer,
  ) {
    const redirects = Number.parseInt(request.query.redirects ?? "0", 10) || 0;
    if (redirects >= MAX_REDIRECTS)
      throw new HubError("SERVER_REDIRECT_LOOP", {
        message: "Redirect loop detected.",
        detail: { path: server.path },
      });
    if (redirects > 0) await pause(2 ** redirects * 1000, deps.streams.signal);
    else await deps.routes.known(server);
    const target = new URL(request.url, originOf(request, deps.hub));
    target.searchParams.set("redirects", String(redirects + 1));
    const path = pathOf(request.url).slice(`${deps.hub.baseUrl}hub/`.length);
    return reply.redirect(`${deps.hub.baseUrl}${path}${target.search}`);
  }

  function notRunningJson(
    request: FastifyRequest,
    reply: FastifyReply,
    userName: string,
    serverName: string,
  ) {
    const { spawn } = serverUrls(deps.hub.baseUrl, userName, serverName);
    const at = deps.hub.baseUrl + pathOf(request.url).slice(`${deps.hub.baseUrl}hub/`.length);
    return reply.code(424).send({
      message: `JupyterHub server no longer running at ${at}. Restart the server at ${originOf(request, deps.hub)}${spawn}`,
    });
  }

  const wantsJson = (request: FastifyRequest): boolean =>
    request.method !== "GET" ||
    prefersJson(request.headers.accept) ||
    restOf(request).split("/").includes("api");
}

const decoded = (segment: string): string => {
  try {
    return decodeURIComponent(segment);
  } catch {
    return segment;
  }
};
