import { randomBytes } from "node:crypto";
import { fileURLToPath } from "node:url";
import { ELARA_VERSION } from "@elara/contracts";
import type { FastifyReply } from "fastify";
import { Liquid } from "liquidjs";
import type { HubConfig } from "../config/hub.ts";
import { hubPath } from "../http/paths.ts";

const OWN_TEMPLATES = fileURLToPath(new URL("./templates/", import.meta.url));

/** Folder with `elara.css` and `favicon.svg`; web serves its files under `<base>hub/static/`. */
export const PAGE_STATIC_DIR: string = fileURLToPath(new URL("./static/", import.meta.url));

/** The pages of a service: its templates, and the runtime's layout and error page. */
export interface Pages {
  /** The template (name without `.liquid`) with the data and the layout's own. */
  render(template: string, data: object): Promise<string>;
}

export function pages({ templates }: { hub: HubConfig; templates?: string }): Pages {
  const engine = new Liquid({
    root: templates === undefined ? [OWN_TEMPLATES] : [templates, OWN_TEMPLATES],
    extname: ".liquid",
    outputEscape: "escape",
    cache: true,
    strictFilters: true,
    ownPropertyOnly: true,
  });
  return { render: (template, data) => engine.renderFile(template, data) as Promise<string> };
}

/**
 * Answers with a page. Templates begin with `{% layout "layout" %}` and fill its blocks `content`, `actions` and `scripts`. Beside
 * `data` they see `hub` (base, hub and static URL, trial, version), `user` (name, admin; absent for nobody), `xsrf` (token for forms)
 * and `nonce` (every `<script>` needs it). Everything is escaped; nothing inline runs.
 */
export async function renderPage(
  reply: FastifyReply,
  template: string,
  data: { readonly title: string } & Record<string, unknown>,
): Promise<FastifyReply> {
  const { hub, pages: engine, xsrf } = reply.server;
  const identity = reply.request.identity;
  const nonce = randomBytes(16).toString("base64");
  const html = await engine.render(template, {
    ...data,
    nonce,
    xsrf: xsrf.issue(reply),
    hub: {
      base: hub.baseUrl,
      url: hubPath(hub),
      static: `${hubPath(hub)}static/`,
      trial: hub.trial,
      version: ELARA_VERSION,
    },
    ...(identity ? { user: { name: identity.name, admin: identity.scopes.has("admin-ui") } } : {}),
  });
  return reply
    .header("Content-Security-Policy", policy(nonce))
    .header("Cache-Control", "no-store")
    .type("text/html; charset=utf-8")
    .send(html);
}

/**
 * By nonce and not by `'self'`: every user's server lives on this origin too. No `form-action`: browsers apply it to the
 * redirects after a form as well, and log-in and consent end at services of other origins.
 */
const policy = (nonce: string): string =>
  [
    "default-src 'none'",
    `script-src 'nonce-${nonce}'`,
    `style-src 'nonce-${nonce}'`,
    "img-src 'self' data:",
    "connect-src 'self'",
    "base-uri 'none'",
    "frame-ancestors 'none'",
  ].join("; ");
