import { HubError } from "@elara/contracts";
import { safeNext } from "@elara/runtime/http/next-url";
import { originOf } from "@elara/runtime/http/paths";
import type { Resource } from "@elara/runtime/scopes/filter";
import type { PublishedServer } from "@elara/runtime/store/read/servers";
import type { PublishedUser } from "@elara/runtime/store/read/users";
import type { FastifyRequest } from "fastify";
import { callerOf } from "../api/caller.ts";
import type { WebDeps } from "../deps.ts";

/** A page about a server: `/hub/spawn`, `/hub/spawn/ada`, `/hub/spawn/ada/lab2`; without a user it is one's own. */
export interface ServerPage {
  Params: { user?: string; server?: string };
  Querystring: Readonly<Record<string, string | undefined>>;
}

/** The three forms of a server page's path. */
export const serverPagePaths = (page: string): readonly string[] => [
  `/${page}`,
  `/${page}/:user`,
  `/${page}/:user/:server`,
];

const param = (request: FastifyRequest, name: string): string | undefined => {
  const { params } = request;
  const value: unknown =
    typeof params === "object" && params !== null ? Reflect.get(params, name) : undefined;
  return typeof value === "string" && value !== "" ? value : undefined;
};

/** The server of a page as a resource for the guard. */
export const pageResource = (request: FastifyRequest): Resource => ({
  user: param(request, "user") ?? request.identity?.name ?? "",
  server: param(request, "server") ?? "",
});

/** Whose server a page is about. `server` is undefined before its first start. Throws NOT_FOUND for unknown users. */
export async function readServerPage(
  request: FastifyRequest,
  { reads }: WebDeps,
): Promise<{ user: PublishedUser; serverName: string; server: PublishedServer | undefined }> {
  const { user: userName = "", server: serverName = "" } = pageResource(request);
  callerOf(request);
  const user = await reads.userByName(userName);
  if (!user) throw new HubError("NOT_FOUND");
  return { user, serverName, server: await reads.serverByName(user._id, serverName) };
}

/** Where a page is to go on to: `next` of query or form, when it stays within the hub. */
export function nextOf(request: FastifyRequest, deps: Pick<WebDeps, "hub">): string | undefined {
  const own = { origin: originOf(request, deps.hub), baseUrl: deps.hub.baseUrl };
  for (const place of [request.body, request.query]) {
    const next: unknown =
      typeof place === "object" && place !== null ? Reflect.get(place, "next") : undefined;
    if (typeof next === "string") return safeNext(next, own);
  }
  return undefined;
}
