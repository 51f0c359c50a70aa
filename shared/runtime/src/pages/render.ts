import { randomBytes } from "node:crypto";
import { fileURLToPath } from "node:url";
import { ELARA_VERSION } from "@elara/contracts";
import type { FastifyReply } from "fastify";
import { Liquid } from "liquidjs";
import { hubPath } from "../http/paths.ts";
import type { Identity } from "../store/read/identity.ts";
import { contactOf } from "./contact.ts";

const OWN_TEMPLATES = fileURLToPath(new URL("./templates/", import.meta.url));

/** Folder with `elara.css` and `favicon.svg`; web serves its files under `<base>hub/static/`, beside Pico's. */
export const PAGE_STATIC_DIR: string = fileURLToPath(new URL("./static/", import.meta.url));

/** The templates of a service, with the runtime's layout and error page behind them. */
export interface Pages {
  /** The template (name without `.liquid`) with its data. */
  render(template: string, data: object): Promise<string>;
}

/** Templates from the folder, then from the runtime. */
export function pages(templates?: string): Pages {
  const engine = new Liquid({
    root: templates === undefined ? [OWN_TEMPLATES] : [templates, OWN_TEMPLATES],
    extname: ".liquid",
    outputEscape: "escape",
    cache: true,
    strictFilters: true,
    ownPropertyOnly: true,
  });
  return { render: async (template, data) => String(await engine.renderFile(template, data)) };
}

/** What a template is given, beside the layout's own: a title, and the place in the header it stands for. */
export type PageData = {
  readonly title: string;
  readonly page?: "home" | "token" | "admin";
} & Readonly<Record<string, unknown>>;

/**
 * Answers with a page. A template begins with `{% layout "layout" %}` and fills the blocks `content`, `head`, `scripts`.
 * Beside `data` it sees `hub` (`base`, `url`, `static`, `trial`, `version`, `contact`), `user` (`name`, `admin`; absent for nobody), `xsrf`
 * (hidden field `_xsrf` of every form) and `nonce` (on every script and stylesheet). Output is escaped, nothing inline runs.
 */
export async function renderPage(
  reply: FastifyReply,
  template: string,
  data: PageData,
): Promise<FastifyReply> {
  // Public pages know nobody yet, and a token for nobody would take the place of a logged-in user's.
  const identity = await reply.request.identify();
  return send(reply, template, { ...data, xsrf: reply.server.xsrf.issue(reply) }, identity);
}

/** Answers with a page without forms, also when it cannot be known who asks: for errors. */
export async function renderPlainPage(
  reply: FastifyReply,
  template: string,
  data: PageData,
): Promise<FastifyReply> {
  const identity = await reply.request.identify().catch(() => undefined);
  return send(reply, template, data, identity);
}

async function send(
  reply: FastifyReply,
  template: string,
  data: PageData,
  identity: Identity | undefined,
): Promise<FastifyReply> {
  const { hub, pages: engine } = reply.server;
  const nonce = randomBytes(16).toString("base64");
  const html = await engine.render(template, {
    ...data,
    nonce,
    hub: {
      base: hub.baseUrl,
      url: hubPath(hub),
      static: `${hubPath(hub)}static/`,
      trial: hub.trial,
      version: ELARA_VERSION,
      contact: contactOf(hub.contact ?? ""),
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
