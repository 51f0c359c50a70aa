import { type ErrorModel, HubError } from "@elara/contracts";
import type { FastifyReply, FastifyRequest } from "fastify";
import type { Logger } from "pino";
import type { HubConfig } from "../config/hub.ts";
import { renderPlainPage } from "../pages/render.ts";
import { prefersJson } from "./accepts.ts";
import { hubErrorOf } from "./hub-error.ts";
import { isApiPath, pathOf } from "./paths.ts";

/** What the error page is given, beside the layout's own. */
export interface ErrorPageData {
  readonly status: number;
  readonly message: string;
  readonly code: string;
  readonly requestId: string;
  /** The page asks again by itself after so many seconds; absent when that would not help. */
  readonly retrySeconds?: number;
}

const RETRY_SECONDS = 5;

/** What happened, in the words of the page's heading. */
function titleOf(status: number): string {
  if (status === 403) return "Not allowed";
  if (status === 404) return "Not found";
  if (status === 429) return "Too many requests";
  if (status === 503) return "Not available right now";
  return status < 500 ? "This did not work" : "Something went wrong";
}

/**
 * Answers a failed request: JupyterHub's `{status, message}` with our code on the API and for clients that prefer JSON, a
 * page for the others. Faults of the hub are logged with the request id; their text is never sent.
 */
export async function replyWithError(
  error: unknown,
  request: FastifyRequest,
  reply: FastifyReply,
  { hub, log }: { hub: HubConfig; log: Logger },
): Promise<void> {
  const known = hubErrorOf(error);
  const shown = known ?? new HubError("INTERNAL");
  const path = pathOf(request.url);
  const facts = {
    requestId: request.id,
    method: request.method,
    path,
    code: shown.code,
    status: shown.status,
  };
  if (!known) log.error({ ...facts, err: error }, "request failed");
  else if (shown.status >= 500)
    log.warn(
      { ...facts, operator: shown.operator, detail: shown.detail, cause: shown.cause },
      "request refused",
    );
  else log.debug({ ...facts, detail: shown.detail }, "request refused");

  reply.status(shown.status);
  if (shown.retryAfterSeconds !== undefined) reply.header("Retry-After", shown.retryAfterSeconds);
  if (isApiPath(hub, path) || prefersJson(request.headers.accept)) {
    const { status, message, code, field } = shown;
    const body: ErrorModel = { status, message, code, ...(field === "" ? {} : { field }) };
    reply.type("application/json").send(JSON.stringify(body));
    return;
  }
  const data: ErrorPageData = {
    status: shown.status,
    message: shown.message,
    code: shown.code,
    requestId: request.id,
    ...(shown.retryable && request.method === "GET" ? { retrySeconds: RETRY_SECONDS } : {}),
  };
  try {
    await renderPlainPage(reply, "error", { title: titleOf(shown.status), error: data });
  } catch (fault) {
    log.error({ requestId: request.id, err: fault }, "error page failed");
    reply.type("text/plain; charset=utf-8").send(`${shown.status} ${shown.message}\n`);
  }
}
