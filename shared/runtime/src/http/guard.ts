import { HubError } from "@elara/contracts";
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import type { HubConfig } from "../config/hub.ts";
import type { Resource } from "../scopes/filter.ts";
import type { Scope } from "../scopes/hierarchy.ts";
import type { ScopeSet } from "../scopes/scope-set.ts";
import type { Identity, IdentityReader } from "../store/read/identity.ts";
import type { Access } from "./access.ts";
import { bodyKindOf } from "./body.ts";
import { cookieValues, LOGIN_COOKIE } from "./cookies.ts";
import { withNext } from "./next-url.ts";
import { hubPath } from "./paths.ts";
import type { Xsrf } from "./xsrf.ts";

interface GuardOptions {
  readonly hub: HubConfig;
  readonly identities: IdentityReader | undefined;
  readonly xsrf: Xsrf;
}

/** Puts the guard before every route: who asks, may they, and does the request come from our own pages. */
export function guard(app: FastifyInstance, { hub, identities, xsrf }: GuardOptions): void {
  app.decorateRequest("identity", undefined);
  app.decorateRequest("identify", async function (this: FastifyRequest) {
    this.identity ??= await find(this, { tokens: true, cookie: mayUseCookie(this, hub) });
    return this.identity;
  });

  app.addHook("onRequest", async (request, reply) => {
    const access = request.routeOptions.config.access;
    // Not found and framework errors have no route; they show nothing that needs guarding.
    if (!access || access.kind === "public") return;
    request.identity = await find(request, {
      tokens: access.kind !== "page" || access.tokens === true,
      cookie: access.kind === "page" || mayUseCookie(request, hub),
    });
    if (!request.identity) return refuse(access, request, reply);
    requireFresh(request, request.identity);
    requireScopes(access, request, request.identity.scopes);
  });

  // Here, and not in onRequest, because forms carry the token in their body.
  app.addHook("preValidation", async (request) => {
    const access = request.routeOptions.config.access;
    if (!access || access.kind === "public" || request.identity?.via !== "cookie") return;
    if (xsrf.isNeeded(request)) xsrf.check(request);
  });

  async function find(
    request: FastifyRequest,
    by: { tokens: boolean; cookie: boolean },
  ): Promise<Identity | undefined> {
    const token = by.tokens ? tokenOf(request) : undefined;
    const owner = token === undefined ? undefined : await identities?.byToken(token);
    if (owner || !by.cookie) return owner;
    const [secret] = cookieValues(request.headers.cookie, LOGIN_COOKIE);
    return secret === undefined ? undefined : await identities?.byCookie(secret);
  }

  function refuse(access: Access, request: FastifyRequest, reply: FastifyReply): FastifyReply {
    if (access.kind === "page" && (request.method === "GET" || request.method === "HEAD"))
      return reply.redirect(withNext(`${hubPath(hub)}login`, request.url));
    throw new HubError("NO_CREDENTIALS");
  }
}

/** `Authorization: token X` or `Bearer X`, whatever the case of the keyword. */
export const tokenOf = (request: FastifyRequest): string | undefined =>
  /^(?:token|bearer)\s+(\S+)\s*$/i.exec(request.headers.authorization ?? "")?.[1];

/** A form of another site can send anything but JSON without asking; so on the API a cookie counts with JSON only. */
function mayUseCookie(request: FastifyRequest, hub: HubConfig): boolean {
  const type = request.headers["content-type"];
  if (type === undefined || bodyKindOf(request, hub) === "form") return true;
  return request.method !== "POST" || type.split(";", 1)[0]?.trim().toLowerCase() === "application/json";
}

/** An identity from memory, while the store is away, serves reading and reports of activity. */
function requireFresh(request: FastifyRequest, identity: Identity): void {
  const isRead = ["GET", "HEAD", "OPTIONS"].includes(request.method);
  if (identity.unconfirmed && !isRead && request.routeOptions.config.duringOutage !== "serve")
    throw new HubError("STORE_AWAY");
}

function requireScopes(access: Access, request: FastifyRequest, scopes: ScopeSet): void {
  if ((access.kind !== "scopes" && access.kind !== "page") || access.anyOf === undefined) return;
  const isList = access.kind === "scopes" && access.list === true;
  requireAnyOf(scopes, access.anyOf, isList ? "list" : (access.resource?.(request) ?? {}));
}

/**
 * Throws unless one of the scopes is held for the resource: SCOPE_MISSING when none is held at all, NO_ACCESS when they
 * are held for others only, so that nobody learns which names exist. `list`: held for anything at all suffices.
 */
export function requireAnyOf(scopes: ScopeSet, anyOf: readonly Scope[], resource: Resource | "list"): void {
  const held = anyOf.filter((scope) => scopes.has(scope));
  if (held.length === 0)
    throw new HubError("SCOPE_MISSING", {
      message: `Action is not authorized with current scopes; requires any of [${anyOf.join(", ")}]`,
    });
  if (resource !== "list" && !held.some((scope) => scopes.allows(scope, resource)))
    throw new HubError("NO_ACCESS");
}
