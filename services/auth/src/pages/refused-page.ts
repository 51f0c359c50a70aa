import type { HubConfig } from "@elara/runtime/config/hub";
import { withNext } from "@elara/runtime/http/next-url";
import { hubPath } from "@elara/runtime/http/paths";
import { renderPage } from "@elara/runtime/pages/render";
import type { FastifyReply } from "fastify";
import type { LoginRefused } from "../login/refusal.ts";
import type { LoginWay } from "../login/ways.ts";

/**
 * Answers somebody who has logged in all right and is not let in: as whom, why, whom to ask, and a way to another account.
 * Not the login page, whose button would lead back here by itself.
 */
export function refusedPage(
  reply: FastifyReply,
  {
    hub,
    way,
    isRedirect,
    refusal,
    next,
  }: {
    hub: HubConfig;
    way: LoginWay;
    isRedirect: boolean;
    refusal: LoginRefused;
    next: string | undefined;
  },
): Promise<FastifyReply> {
  const loginUrl = withNext(`${hubPath(hub)}login`, next);
  return renderPage(reply.status(403), "refused", {
    title: "You cannot come in",
    label: way.label,
    isRedirect,
    who: refusal.who,
    message: refusal.message,
    code: refusal.code,
    requestId: reply.request.id,
    loginUrl,
    otherUrl: isRedirect
      ? withNext(`${hubPath(hub)}oauth_login/${encodeURIComponent(way.name)}?account=other`, next)
      : loginUrl,
  });
}
