import { createHash, createHmac, randomBytes, timingSafeEqual } from "node:crypto";
import { HubError } from "@elara/contracts";
import type { FastifyReply, FastifyRequest } from "fastify";
import type { Clock } from "../clock.ts";
import type { HubConfig } from "../config/hub.ts";
import type { Keys } from "../keys.ts";
import { cookieValues, loginCookieOptions, XSRF_COOKIE } from "./cookies.ts";

/** Protects requests that a cookie authenticates against other sites: a token that stands in a cookie and comes as an argument. */
export interface Xsrf {
  /**
   * The token for forms of the page being answered; sets the cookie when the browser has none that is valid for it.
   * Bound to the identity of the request; to `credential` (digest of the login secret) where a login has just happened.
   */
  issue(reply: FastifyReply, credential?: string): string;
  /** Throws XSRF_MISSING or XSRF_MISMATCH unless the request carries its token. Always checks. */
  check(request: FastifyRequest): void;
  /** Whether a cookie-authenticated request must carry the token, by method and Sec-Fetch headers. */
  isNeeded(request: FastifyRequest): boolean;
}

/** Anonymous tokens live as long as their cookie. */
const ANONYMOUS_SECONDS = 3600;
const LOGGED_IN_SECONDS = 31 * 86_400;

const SAFE = new Set(["GET", "HEAD", "OPTIONS"]);

export function xsrf({ keys, hub, clock }: { keys: Keys; hub: HubConfig; clock: Clock }): Xsrf {
  const key = keys.derive("xsrf");

  const binding = (request: FastifyRequest, credential?: string): string => {
    const known =
      credential ?? (request.identity?.via === "cookie" ? request.identity.credential : undefined);
    if (known !== undefined) return `login ${known}`;
    const agent = request.headers["user-agent"] ?? "";
    return `anonymous ${createHash("sha256").update(`${request.ip}\0${agent}`).digest("hex")}`;
  };
  const sign = (head: string, bound: string): string =>
    createHmac("sha256", key).update(`${head}.${bound}`).digest("base64url");

  const isValid = (token: string, bound: string): boolean => {
    const [time = "", nonce = "", signature = "", rest] = token.split(".");
    if (rest !== undefined || !isEqual(signature, sign(`${time}.${nonce}`, bound))) return false;
    const age = clock.now() / 1000 - Number.parseInt(time, 36);
    return age <= (bound.startsWith("login ") ? LOGGED_IN_SECONDS : ANONYMOUS_SECONDS);
  };

  return {
    issue(reply, credential) {
      const request = reply.request;
      const bound = binding(request, credential);
      const known = cookieValues(request.headers.cookie, XSRF_COOKIE).find((token) => isValid(token, bound));
      // An anonymous cookie dies by itself, so it is renewed with every page; a valid token stays the same in all tabs.
      const token = known ?? fresh(bound);
      if (known === undefined || bound.startsWith("anonymous ")) {
        reply.setCookie(XSRF_COOKIE, token, {
          ...loginCookieOptions(request, hub),
          httpOnly: false,
          ...(bound.startsWith("anonymous ") ? { maxAge: ANONYMOUS_SECONDS } : {}),
        });
      }
      return token;
    },
    check(request) {
      const given = argumentOf(request);
      if (given === undefined)
        throw new HubError("XSRF_MISSING", { message: `'_xsrf' argument missing from ${request.method}` });
      const bound = binding(request);
      const site = request.headers["sec-fetch-site"];
      const foreign = !SAFE.has(request.method) && site !== undefined && site !== "same-origin";
      const isOurs = cookieValues(request.headers.cookie, XSRF_COOKIE).some(
        (token) => isEqual(token, given) && isValid(token, bound),
      );
      if (foreign || !isOurs)
        throw new HubError("XSRF_MISMATCH", {
          message: `XSRF cookie does not match ${request.method} argument`,
        });
    },
    isNeeded(request) {
      const mode = request.headers["sec-fetch-mode"];
      if (!SAFE.has(request.method)) return true;
      if (mode === undefined || mode === "navigate" || mode === "websocket") return false;
      // An image of our own page; from elsewhere, or without a word on the site, `no-cors` proves nothing.
      return !(mode === "no-cors" && request.headers["sec-fetch-site"] === "same-origin");
    },
  };

  function fresh(bound: string): string {
    const head = `${Math.floor(clock.now() / 1000).toString(36)}.${randomBytes(9).toString("base64url")}`;
    return `${head}.${sign(head, bound)}`;
  }
}

function isEqual(a: string, b: string): boolean {
  const [x, y] = [Buffer.from(a), Buffer.from(b)];
  return x.length === y.length && timingSafeEqual(x, y);
}

/** The token as the client sent it: query, form or JSON body, or one of the two headers. */
function argumentOf(request: FastifyRequest): string | undefined {
  for (const place of [request.query, request.body]) {
    if (typeof place === "object" && place !== null && XSRF_COOKIE in place) {
      const value: unknown = Reflect.get(place, XSRF_COOKIE);
      const first: unknown = Array.isArray(value) ? value[0] : value;
      if (typeof first === "string" && first !== "") return first;
    }
  }
  const header = request.headers["x-xsrftoken"] ?? request.headers["x-csrftoken"];
  return typeof header === "string" && header !== "" ? header : undefined;
}
