import { randomBytes } from "node:crypto";
import type { CookieSerializeOptions } from "@fastify/cookie";
import type { FastifyReply, FastifyRequest } from "fastify";
import type { HubConfig } from "../config/hub.ts";
import { hubPath, originOf } from "./paths.ts";

/** Holds the secret of a browser's login; its SHA-256 is the session's id. */
export const LOGIN_COOKIE = "jupyterhub-hub-login";
/** Groups the OAuth tokens of one browser; sent to notebook servers too, so it is no credential. */
export const SESSION_ID_COOKIE = "jupyterhub-session-id";
/** The XSRF token; pages' scripts read it. */
export const XSRF_COOKIE = "_xsrf";
/** Cookie of older hubs for services; only ever cleared. */
const SERVICES_COOKIE = "jupyterhub-services";

/** A secret for the login cookie: 256 random bits. */
export const newLoginSecret = (): string => randomBytes(32).toString("base64url");
/** A value for the session id cookie: 32 hex digits. */
export const newSessionId = (): string => randomBytes(16).toString("hex");

/** Every value of one cookie in a Cookie header, in order; a browser may send several of different paths. */
export function cookieValues(header: string | undefined, name: string): string[] {
  const values: string[] = [];
  for (const pair of (header ?? "").split(";")) {
    const at = pair.indexOf("=");
    if (at < 0 || pair.slice(0, at).trim() !== name) continue;
    const value = pair.slice(at + 1).trim();
    values.push(
      value.startsWith('"') && value.endsWith('"') && value.length > 1 ? value.slice(1, -1) : value,
    );
  }
  return values;
}

const isHttps = (request: FastifyRequest, hub: HubConfig): boolean =>
  originOf(request, hub).startsWith("https:");

/** Attributes of the login cookie. */
export const loginCookieOptions = (request: FastifyRequest, hub: HubConfig): CookieSerializeOptions => ({
  path: hubPath(hub),
  httpOnly: true,
  sameSite: "lax",
  secure: isHttps(request, hub),
});

/** Logs the browser in: hands it the secret of its session. */
export function setLoginCookie(
  reply: FastifyReply,
  hub: HubConfig,
  secret: string,
  maxAgeSeconds: number,
): void {
  reply.setCookie(LOGIN_COOKIE, secret, { ...loginCookieOptions(reply.request, hub), maxAge: maxAgeSeconds });
}

/** Gives the browser its session id. */
export function setSessionIdCookie(reply: FastifyReply, hub: HubConfig, sessionId: string): void {
  reply.setCookie(SESSION_ID_COOKIE, sessionId, {
    ...loginCookieOptions(reply.request, hub),
    path: hub.baseUrl,
  });
}

/** The session id the browser sent, when it is one of ours in form. */
export const sessionIdOf = (request: FastifyRequest): string | undefined =>
  cookieValues(request.headers.cookie, SESSION_ID_COOKIE).find((value) => /^[0-9a-f]{32}$/.test(value));

/** Takes all four cookies of the hub away. */
export function clearHubCookies(reply: FastifyReply, hub: HubConfig): void {
  reply.clearCookie(SESSION_ID_COOKIE, { path: hub.baseUrl });
  reply.clearCookie(LOGIN_COOKIE, { path: hubPath(hub) });
  reply.clearCookie(SERVICES_COOKIE, { path: `${hub.baseUrl}services` });
  reply.clearCookie(XSRF_COOKIE, { path: hubPath(hub) });
}
