import { HubError } from "@elara/contracts";
import { hubErrorOf } from "@elara/runtime/http/hub-error";
import type { FastifyReply, FastifyRequest } from "fastify";
import type { Ground } from "../ground.ts";
import { LoginRefused } from "../login/refusal.ts";
import type { LoginWay, LoginWays } from "../login/ways.ts";
import { loginPage } from "./login-page.ts";
import { refusedPage } from "./refused-page.ts";

/** Answers a log-in that came to nothing: the page for who is refused, else the log-in page with the reason. */
export function failedLogIn(
  { ground, ways }: { ground: Ground; ways: LoginWays },
  { request, reply }: { request: FastifyRequest; reply: FastifyReply },
  tried: { way: LoginWay; isRedirect: boolean; next: string | undefined; username?: string | undefined },
  error: unknown,
): Promise<FastifyReply> {
  const { way, username } = tried;
  if (error instanceof LoginRefused) return refusedPage(reply, { hub: ground.hub, ...tried, refusal: error });
  const known = hubErrorOf(error) ?? new HubError("LOGIN_UNAVAILABLE", { cause: error });
  if (known.status >= 500)
    way.log.warn(
      { code: known.code, operator: known.operator, detail: known.detail, err: known.cause },
      "login could not be checked",
    );
  return loginPage(ground, ways, request, reply, {
    error: known,
    way: way.name,
    ...(username === undefined ? {} : { username }),
  });
}
