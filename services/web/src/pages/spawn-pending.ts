import { renderPage } from "@elara/runtime/pages/render";
import type { PublishedServer } from "@elara/runtime/store/read/servers";
import type { PublishedUser } from "@elara/runtime/store/read/users";
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { callerOf } from "../api/caller.ts";
import type { WebDeps } from "../deps.ts";
import { failureOf, faultOf } from "../models/failure.ts";
import { serverApiPath } from "../models/server-model.ts";
import { isReachable, serverState } from "../models/server-state.ts";
import { startState, withTimes } from "../models/start-state.ts";
import { nextOf, pageResource, readServerPage, type ServerPage, serverPagePaths } from "./page-params.ts";
import { serverUrls } from "./server-urls.ts";
import { stepsView } from "./steps-view.ts";

/**
 * `/hub/spawn-pending/user[/server]`: the way of a start, from the ledger, so that a reload shows the same; then live.
 * Also what became of it: on to the server, its failure, a stop under way, or nothing running.
 */
export function spawnPendingPage(app: FastifyInstance, deps: WebDeps): void {
  const access = { kind: "page", anyOf: ["read:servers"], resource: pageResource } as const;
  for (const url of serverPagePaths("spawn-pending"))
    app.get<ServerPage>(url, { config: { access } }, async (request, reply) => {
      const { user, serverName, server } = await readServerPage(request, deps);
      const next = nextOf(request, deps);
      const page = pageData(user, serverName, next);
      if (!server) return renderPage(reply, "not-running", { ...page, title: "Server not running" });
      if (isReachable(server)) {
        await deps.routes.known(server);
        return reply.redirect(next ?? server.path);
      }
      const { pending } = serverState(server);
      if (pending === "stop") return stopping(reply, server, page, next);
      if (pending !== null) return starting(request, reply, server, page);
      if (server.phase === "failed") return failed(request, reply, server, page);
      return renderPage(reply, "not-running", {
        ...page,
        title: "Server not running",
        failure: faultOf(server),
      });
    });

  const pageData = (user: PublishedUser, serverName: string, next: string | undefined) => ({
    owner: user.name,
    serverName,
    urls: serverUrls(deps.hub.baseUrl, user.name, serverName, next),
    apiUrl: serverApiPath(deps.hub.baseUrl, user.name, serverName),
  });
  type PageData = ReturnType<typeof pageData>;

  /** A start ordered meanwhile begins when the stop is done; then this page shows it. */
  const stopping = (
    reply: FastifyReply,
    server: PublishedServer,
    page: PageData,
    next: string | undefined,
  ) => {
    const startsAgain = server.desired === "running";
    return renderPage(reply, "stopping", {
      ...page,
      title: "Server stopping",
      startsAgain,
      after: startsAgain ? page.urls.pending : (next ?? `${deps.hub.baseUrl}hub/home`),
    });
  };

  async function starting(
    request: FastifyRequest,
    reply: FastifyReply,
    server: PublishedServer,
    page: PageData,
  ) {
    const { scopes } = callerOf(request);
    const state = startState(server);
    return renderPage(reply, "pending", {
      ...page,
      title: "Server starting",
      state: { ...state, reason: withTimes(state.reason) },
      mayStop: scopes.allows("delete:servers", pageResource(request)),
      steps: stepsView(await deps.reads.steps(server), false),
    });
  }

  /** The status is the failure's, so that programs see it too. */
  async function failed(
    request: FastifyRequest,
    reply: FastifyReply,
    server: PublishedServer,
    page: PageData,
  ) {
    const { message, code, status, operator } = failureOf(server);
    const { userId, scopes } = callerOf(request);
    const isAdmin = scopes.allows("admin:servers", pageResource(request));
    const maySeeOutput = userId === server.userId || isAdmin;
    return renderPage(reply.code(status), "spawn-failed", {
      ...page,
      title: "Server did not start",
      failure: { message, code, operator: isAdmin ? operator : "", mayAsk: status === 403 },
      steps: stepsView(await deps.reads.steps(server), true),
      tail: maySeeOutput ? (await deps.reads.tail(server)).slice(-50) : [],
    });
  }
}
