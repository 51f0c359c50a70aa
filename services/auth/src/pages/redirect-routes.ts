import { codeOf, HubError } from "@elara/contracts";
import { timestamp } from "@elara/runtime/clock";
import { withNext } from "@elara/runtime/http/next-url";
import { hubPath, originOf } from "@elara/runtime/http/paths";
import { digest } from "@elara/runtime/id";
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { textOf } from "../fields.ts";
import { ticketSeal } from "../login/sealed-cookie.ts";
import { type LoginWay, wayOf } from "../login/ways.ts";
import { failedLogIn } from "./failed-log-in.ts";
import { isForeign } from "./foreign.ts";
import { type LoginRouteParts, sessionOf, welcome } from "./login-routes.ts";
import { callbackUrl, nextOf } from "./place.ts";

const TICKET_SECONDS = 600;
/** Browsers drop cookies above 4,096 bytes. */
const MAX_TICKET_CHARS = 3800;
/** Of one browser: more of them would be more than servers take of headers. */
const MAX_TICKETS = 5;
const PREFIX = "elara-login-";
const NAME = new RegExp(`^${PREFIX}[0-9a-f]{16}$`);
/** Names of the tickets a browser was given, oldest first. */
const BEGUN = "elara-logins";

/**
 * `/hub/oauth_login` and `/hub/oauth_callback`: log-ins at a provider. The provider's `state` names a cookie that only the
 * browser which began the log-in has, one for each attempt, so that several tabs work and nobody can be logged in with a
 * stranger's code. An attempt counts once, also for who keeps its cookie.
 */
export function redirectRoutes(app: FastifyInstance, key: Buffer, parts: LoginRouteParts): void {
  const { ground, ways, login, sessions } = parts;
  const { hub, clock } = ground;
  const tickets = ticketSeal(key);
  const beginPath = `${hubPath(hub)}oauth_login`;
  const callbackPath = `${hubPath(hub)}oauth_callback`;
  const config = { access: { kind: "public" } } as const;
  const cookieName = (state: string): string => `${PREFIX}${digest(state).slice(0, 16)}`;

  const begin = async (request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> => {
    const way = wayOf(ways, nameOf(request));
    const next = nextOf(request, hub);
    // Another site must not send people to a provider that may know them: they press the button themselves.
    if (isForeign(request, hub)) return reply.redirect(withNext(`${hubPath(hub)}login`, next));
    try {
      const start = await way.authenticator.begin({
        callbackUrl: callbackUrl(request, hub, way.name),
        ...(textOf(request.query, "account") === "other" ? { otherAccount: true } : {}),
      });
      if (start.kind === "form") return reply.redirect(`${hubPath(hub)}login`);
      const state = new URL(start.url).searchParams.get("state");
      if (!state) throw new TypeError("an authenticator that redirects must send a state parameter");
      const name = cookieName(state);
      const expiresAt = clock.now() + TICKET_SECONDS * 1000;
      const ticketTo = (page: string): string =>
        tickets.seal({ authenticator: way.name, next: page, state: { ...start.state }, expiresAt }, name);
      const whole = ticketTo(next ?? "");
      // The log-in counts for more than the page it was to end at.
      const ticket = whole.length > MAX_TICKET_CHARS ? ticketTo("") : whole;
      if (ticket.length > MAX_TICKET_CHARS) throw new TypeError("the authenticator's state is too large");
      reply.setCookie(name, ticket, { ...cookieOptions(request), path: callbackPath });
      dropOldest(request, reply, name);
      return reply.redirect(start.url);
    } catch (error) {
      return failedLogIn(parts, { request, reply }, { way, isRedirect: true, next }, error);
    }
  };

  /** Marked before the authenticator is asked. Throws LOGIN_STATE_INVALID when it was already. */
  const spend = async (way: LoginWay, state: string): Promise<void> => {
    const expiresAt = timestamp(clock.now() + TICKET_SECONDS * 1000);
    const _id = digest(`${way.name}\0${state}`);
    await ground.records.loginAttempts.insert({ _id, v: 1, expiresAt }).catch((cause: unknown) => {
      if (codeOf(cause) !== "STORE_CONFLICT") throw cause;
      throw new HubError("LOGIN_STATE_INVALID", {
        message: "This login has been finished already. Begin again.",
        cause,
      });
    });
  };

  const finish = async (request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> => {
    const way = wayOf(ways, nameOf(request));
    let next: string | undefined;
    try {
      const state = textOf(request.query, "state") ?? "";
      const name = cookieName(state);
      const ticket = tickets.open(request.cookies[name] ?? "", name, clock.now());
      // Another authenticator's ticket is a mix-up attack.
      if (ticket?.authenticator !== way.name) throw new HubError("LOGIN_STATE_INVALID");
      next = ticket.next || undefined;
      reply.clearCookie(name, { path: callbackPath });
      await spend(way, state);
      const input = Object.fromEntries(
        Object.keys(Object(request.query)).flatMap((field) => {
          const value = textOf(request.query, field);
          // `username` is what the throttle counts by; a provider's answer has nothing to guess.
          return value === undefined || field === "username" ? [] : [[field, value]];
        }),
      );
      const opened = await login.open(
        {
          way,
          input,
          state: ticket.state,
          callbackUrl: callbackUrl(request, hub, way.name),
          address: request.ip,
        },
        await sessionOf(request, sessions),
      );
      return await welcome(ground, request, reply, opened, next);
    } catch (error) {
      return failedLogIn(parts, { request, reply }, { way, isRedirect: true, next }, error);
    }
  };

  // Without a name: the first way to log in, as JupyterHub's only one.
  for (const path of [beginPath, `${beginPath}/:name`]) app.get(path, { config }, begin);
  for (const path of [callbackPath, `${callbackPath}/:name`]) app.get(path, { config }, finish);

  function nameOf(request: FastifyRequest): string | undefined {
    return textOf(request.params, "name");
  }

  /** The oldest attempts beyond what a browser may hold go; it tells which it has begun where it begins them. */
  function dropOldest(request: FastifyRequest, reply: FastifyReply, name: string): void {
    const begun = (request.cookies[BEGUN] ?? "").split(".").filter((each) => NAME.test(each));
    const names = [...begun, name];
    for (const each of names.splice(0, names.length - MAX_TICKETS))
      reply.clearCookie(each, { path: callbackPath });
    reply.setCookie(BEGUN, names.join("."), { ...cookieOptions(request), path: beginPath });
  }

  function cookieOptions(request: FastifyRequest) {
    const secure = originOf(request, hub).startsWith("https:");
    return { httpOnly: true, sameSite: "lax", secure, maxAge: TICKET_SECONDS } as const;
  }
}
