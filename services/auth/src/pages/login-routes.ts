import { HubError, type Session } from "@elara/contracts";
import { setLoginCookie, setSessionIdCookie } from "@elara/runtime/http/cookies";
import { hubPath } from "@elara/runtime/http/paths";
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { textOf } from "../fields.ts";
import type { Ground } from "../ground.ts";
import { type LoginWays, wayOf } from "../login/ways.ts";
import type { Login } from "../login.ts";
import type { OpenedSession, SessionBook } from "../people/session-book.ts";
import { failedLogIn } from "./failed-log-in.ts";
import { loginPage } from "./login-page.ts";
import { callbackUrl, landing, nextOf } from "./place.ts";

const FORM_BYTES = 64 * 1024;
const DAY_SECONDS = 86_400;

export interface LoginRouteParts {
  readonly ground: Ground;
  readonly ways: LoginWays;
  readonly login: Login;
  readonly sessions: SessionBook;
}

/** `/hub/login`: the page, and what its forms send. */
export function loginRoutes(app: FastifyInstance, { ground, ways, login, sessions }: LoginRouteParts): void {
  const { hub } = ground;
  const url = `${hubPath(hub)}login`;
  const config = { access: { kind: "public" } } as const;

  app.get(url, { config }, async (request, reply) => {
    const session = await sessionOf(request, sessions);
    if (session) return reply.redirect(nextOf(request, hub) ?? (await landing(ground, session.userId)));
    const username = textOf(request.query, "username");
    if (username === undefined) return loginPage(ground, ways, request, reply);
    return loginPage(ground, ways, request, reply, { username });
  });

  app.post(url, { config, bodyLimit: FORM_BYTES }, async (request, reply) => {
    const previous = await sessionOf(request, sessions);
    const way = wayOf(ways, textOf(request.body, "authenticator"));
    try {
      app.xsrf.check(request);
    } catch {
      // Logged in meanwhile, in another tab: nothing is left to do.
      if (previous) return reply.redirect(nextOf(request, hub) ?? (await landing(ground, previous.userId)));
      return failed(new HubError("LOGIN_FORM_EXPIRED"));
    }
    try {
      const start = await way.authenticator.begin({ callbackUrl: callbackUrl(request, hub, way.name) });
      if (start.kind !== "form") throw new HubError("NOT_FOUND");
      const input = Object.fromEntries(
        start.fields.map(({ name }) => [name, textOf(request.body, name) ?? ""]),
      );
      const opened = await login.open(
        { way, input, callbackUrl: callbackUrl(request, hub, way.name), address: request.ip },
        previous,
      );
      return await welcome(ground, request, reply, opened, nextOf(request, hub));
    } catch (error) {
      return failed(error);
    }

    function failed(error: unknown): Promise<FastifyReply> {
      const username = textOf(request.body, "username");
      const tried = { way, isRedirect: false, next: nextOf(request, hub), username };
      return failedLogIn({ ground, ways }, { request, reply }, tried, error);
    }
  });
}

/** The browser's present session; a token is none. */
export async function sessionOf(
  request: FastifyRequest,
  sessions: SessionBook,
): Promise<Session | undefined> {
  const identity = await request.identify();
  return identity?.via === "cookie" ? sessions.find(identity.credential) : undefined;
}

/** Hands the browser its new session and sends it on. */
export async function welcome(
  ground: Ground,
  request: FastifyRequest,
  reply: FastifyReply,
  { secret, session }: OpenedSession,
  next: string | undefined,
): Promise<FastifyReply> {
  setLoginCookie(reply, ground.hub, secret, Math.round(ground.config.sessionDays * DAY_SECONDS));
  setSessionIdCookie(reply, ground.hub, session.sessionId);
  request.server.xsrf.issue(reply, session._id);
  return reply.redirect(next ?? (await landing(ground, session.userId)));
}
