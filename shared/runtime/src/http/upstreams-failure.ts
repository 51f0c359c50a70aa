import { createHash } from "node:crypto";
import type { IncomingMessage, ServerResponse } from "node:http";
import type { HubError } from "@elara/contracts";
import { prefersJson } from "./accepts.ts";

/** What else the page may offer. */
export interface FailureOptions {
  /** Where "Back to the hub" leads; "" leaves it out. */
  readonly home?: string;
  /** The title; default: by status. */
  readonly title?: string;
}

/**
 * Answers a request that no service and no server could answer: JSON for programs, else a page of its own that needs
 * nothing from the hub. Does nothing when an answer has begun; then the connection is ended.
 */
export function answerFailure(
  request: IncomingMessage,
  response: ServerResponse,
  error: HubError,
  options: FailureOptions = {},
): void {
  if (response.headersSent) {
    response.destroy();
    return;
  }
  const { headers, body } = failureReply(error, wantsJson(request), options);
  response.writeHead(error.status, {
    ...headers,
    ...(error.retryAfterSeconds === undefined ? {} : { "Retry-After": String(error.retryAfterSeconds) }),
    // A body that nobody will read would be taken for the next request.
    ...(request.complete ? {} : { Connection: "close" }),
  });
  response.end(request.method === "HEAD" ? undefined : body);
}

/** The answer itself, for whoever writes it without a request that could be read. */
export function failureReply(error: HubError, asJson: boolean, options: FailureOptions = {}) {
  const body = asJson ? jsonOf(error) : pageOf(error, options);
  const headers = {
    "Content-Type": asJson ? "application/json" : "text/html; charset=utf-8",
    "Content-Length": Buffer.byteLength(body),
    "Cache-Control": "no-store",
    "Content-Security-Policy": `default-src 'none'; style-src '${STYLE_HASH}'; frame-ancestors 'none'`,
  };
  return { headers, body };
}

/** Programs: `api` in the path, JSON asked for ahead of a page, or a writing method that takes no page. */
export function wantsJson(request: IncomingMessage): boolean {
  const { accept } = request.headers;
  if (prefersJson(accept)) return true;
  const path = (request.url ?? "").split("?", 1)[0] ?? "";
  if (path.split("/").includes("api")) return true;
  const reading = request.method === "GET" || request.method === "HEAD";
  return !reading && !(accept ?? "").includes("text/html");
}

const jsonOf = (error: HubError): string =>
  JSON.stringify({ status: error.status, message: error.message, code: error.code });

const STYLE = `:root{color-scheme:light dark}body{margin:0;min-height:100vh;display:grid;place-items:center;
font:16px/1.5 system-ui,sans-serif;background:Canvas;color:CanvasText}main{max-width:34rem;padding:2rem}
h1{font-size:1.5rem;margin:0 0 .75rem}p{margin:.75rem 0}small{opacity:.65}a{display:inline-block;margin:.75rem .75rem 0 0;
padding:.5rem 1rem;border:1px solid;border-radius:.4rem;color:inherit;text-decoration:none}a:hover,a:focus{background:color-mix(in srgb,CanvasText 12%,Canvas)}`;
const STYLE_HASH = `sha256-${createHash("sha256").update(STYLE).digest("base64")}`;

function pageOf(error: HubError, { home = "", title }: FailureOptions): string {
  const heading = title ?? (error.status === 503 ? "Not reachable right now" : "This did not work");
  const links = [
    `<a href="">Try again</a>`,
    ...(home ? [`<a href="${escapeHtml(home)}">Back to the hub</a>`] : []),
  ];
  return `<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>${error.status} ${escapeHtml(heading)}</title><style>${STYLE}</style></head>
<body><main><h1>${escapeHtml(heading)}</h1><p>${escapeHtml(error.message)}</p><p>${links.join("")}</p>
<p><small>${error.status} · ${escapeHtml(error.code)}</small></p></main></body></html>
`;
}

const ESCAPES: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};
const escapeHtml = (text: string): string => text.replace(/[&<>"']/g, (c) => ESCAPES[c] ?? c);
