import type { HubError } from "@elara/contracts";
import { withNext } from "@elara/runtime/http/next-url";
import { hubPath } from "@elara/runtime/http/paths";
import { renderPage } from "@elara/runtime/pages/render";
import type { FastifyReply, FastifyRequest } from "fastify";
import type { Ground } from "../ground.ts";
import type { LoginWays } from "../login/ways.ts";
import { callbackUrl, nextOf } from "./place.ts";

/** What the page is filled with: after a failed try its reason. */
export interface FailedTry {
  readonly error?: HubError;
  /** The way that was tried, and the name that was typed. */
  readonly way?: string;
  readonly username?: string;
}

/** Answers with the login page: a form or button for each way to log in; after a failed try with its reason, and the name kept. */
export async function loginPage(
  { hub }: Ground,
  ways: LoginWays,
  request: FastifyRequest,
  reply: FastifyReply,
  failed?: FailedTry,
): Promise<FastifyReply> {
  const next = nextOf(request, hub);
  const views = await ways.views((name) => callbackUrl(request, hub, name));
  const forms = views.filter((view) => view.kind === "form");
  // The form that was tried stays open; otherwise the first one.
  const open = forms.find((form) => form.name === failed?.way) ?? forms[0];
  const isClosed = ways.all.every((way) => !way.letsIn);
  if (failed?.error) {
    reply.status(failed.error.status);
    if (failed.error.retryAfterSeconds !== undefined)
      reply.header("Retry-After", failed.error.retryAfterSeconds);
  }
  const isOpen = (name: string | undefined) => name !== undefined && name === open?.name;
  return renderPage(reply, "login", {
    title: "Log in",
    action: withNext(`${hubPath(hub)}login`, next),
    ways: views.map((view, index) => ({
      ...view,
      isOpen: isOpen(view.name),
      // Between the open form and the buttons.
      isDivided: index > 0 && isOpen(view.name) !== isOpen(views[index - 1]?.name),
      isPrimary: open === undefined && index === 0,
      url: withNext(`${hubPath(hub)}oauth_login/${encodeURIComponent(view.name)}`, next),
      ...(view.kind === "form"
        ? {
            fields: view.fields.map((field) => ({
              ...field,
              value:
                field.name === "username" && view.name === open?.name
                  ? (failed?.username ?? "").slice(0, 128)
                  : "",
            })),
          }
        : {}),
    })),
    isClosed,
    ...(failed?.error ? { message: failed.error.message, code: failed.error.code } : {}),
  });
}
