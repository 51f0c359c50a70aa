import { codeOf, HubError } from "@elara/contracts";
import { renderPage } from "@elara/runtime/pages/render";
import type { PublishedProfile } from "@elara/runtime/store/read/profiles";
import type { PublishedServer } from "@elara/runtime/store/read/servers";
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { isObject } from "../api/body.ts";
import { callerOf } from "../api/caller.ts";
import type { ServerWish } from "../api/server-body.ts";
import type { WebDeps } from "../deps.ts";
import { type Faults, optionsRefusal } from "../form/choice-faults.ts";
import { type Chosen, chosenOf, formView, hasChoices, type Sent } from "../form/spawn-form.ts";
import { checkServerName } from "../models/server-name.ts";
import { isReachable, serverState } from "../models/server-state.ts";
import { orderStart } from "../orders.ts";
import { nextOf, pageResource, readServerPage, type ServerPage, serverPagePaths } from "./page-params.ts";
import { serverUrls } from "./server-urls.ts";

/**
 * `/hub/spawn[/user[/server]]`: the spawn form, with the profiles the server's owner is offered; where there is nothing to
 * choose it starts at once. Goes on to the pending page. What is refused comes back with what was entered.
 */
export function spawnPage(app: FastifyInstance, deps: WebDeps): void {
  const access = { kind: "page", anyOf: ["start:servers"], resource: pageResource } as const;
  for (const url of serverPagePaths("spawn"))
    app.route<ServerPage>({
      method: ["GET", "POST"],
      url,
      config: { access },
      async handler(request, reply) {
        const { user, serverName, server } = await readServerPage(request, deps);
        const next = nextOf(request, deps);
        const { pending } = serverUrls(deps.hub.baseUrl, user.name, serverName, next);
        const goTo = (url: string) => reply.redirect(url, request.method === "POST" ? 303 : 302);
        if (server && isReachable(server)) return goTo(next ?? server.path);
        if (server && serverState(server).pending === "spawn") return goTo(pending);
        if (serverName !== "" && !server) checkServerName(serverName);
        const offered = await deps.reads.profilesFor(user);
        const isPost = request.method === "POST";
        const sent: Sent = isPost && isObject(request.body) ? request.body : request.query;
        const asks = hasChoices(offered);
        const show = (refusal?: HubError, faults?: Faults) =>
          form(request, reply, {
            offered,
            server,
            sent,
            next,
            owner: user.name,
            serverName,
            refusal,
            faults,
          });
        if (asks && !isPost) return show();
        const { faults, ...chosen } = chosenOf(offered, isPost ? sent : {});
        try {
          if (faults.size > 0) throw optionsRefusal(faults);
          const wish = asks || saysMore(chosen, offered) ? chosen : withoutChoice(offered, server);
          await orderStart(deps.bus, { user, serverName, by: callerOf(request) }, wish);
        } catch (error) {
          // Somebody else was quicker; the pending page knows what to do with a server that is there.
          if (codeOf(error) === "SERVER_RUNNING") return goTo(pending);
          if (!asks || !isRefusal(error)) throw error;
          return show(error, faults.size > 0 ? faults : new Map([[error.field, error.message]]));
        }
        return goTo(pending);
      },
    });

  async function form(
    request: FastifyRequest,
    reply: FastifyReply,
    given: {
      readonly offered: readonly PublishedProfile[];
      readonly server: PublishedServer | undefined;
      readonly sent: Sent;
      readonly next: string | undefined;
      readonly owner: string;
      readonly serverName: string;
      readonly refusal: HubError | undefined;
      readonly faults: Faults | undefined;
    },
  ) {
    const { offered, server, sent, owner, serverName, next = "", refusal, faults } = given;
    if (refusal) reply.code(refusal.status);
    if (refusal?.retryAfterSeconds !== undefined) reply.header("Retry-After", refusal.retryAfterSeconds);
    return renderPage(reply, "spawn", {
      title: "Start a server",
      form: formView(offered, { sent, last: server, ...(faults ? { faults } : {}) }),
      action: serverUrls(deps.hub.baseUrl, owner, serverName).spawn,
      next,
      owner,
      isOwn: owner === callerOf(request).name,
      serverName,
    });
  }
}

/**
 * The one profile there is. Nothing is said where nothing needs saying, so that the server's options stay as empty as they
 * are; what was chosen when there was a choice is dropped.
 */
function withoutChoice([only]: readonly PublishedProfile[], server: PublishedServer | undefined): ServerWish {
  const isKept =
    !server || (["", only?._id].includes(server.profile) && Object.keys(server.options).length === 0);
  return only === undefined || isKept ? {} : { profile: only._id, options: {} };
}

/** Whether a form was sent, where there is nothing to choose, that says something all the same: the order refuses it. */
const saysMore = (
  { profile, options }: Pick<Chosen, "profile" | "options">,
  [only]: readonly PublishedProfile[],
): boolean => profile !== (only?._id ?? "") || Object.keys(options).length > 0;

/** What can be said on the form: the request is wrong, or it is not the moment. */
const isRefusal = (error: unknown): error is HubError =>
  error instanceof HubError && ((error.status >= 400 && error.status < 500) || error.status === 503);
