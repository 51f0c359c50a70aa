import type { Resource } from "@elara/runtime/scopes/filter";
import type { FastifyRequest } from "fastify";

/** Parameters of the paths below a user's server. */
export interface ServerParams {
  Params: { user: string; server?: string };
}

/** Both forms of a server's path: the default server, and a named one (an empty name is the default one again). */
export const serverPaths = ["/users/:user/server", "/users/:user/servers/:server"] as const;

/** The names a path says; "" is the default server. */
export const serverOf = (
  request: FastifyRequest<ServerParams>,
): { userName: string; serverName: string } => ({
  userName: request.params.user,
  serverName: request.params.server ?? "",
});

const text = (params: unknown, name: string): string => {
  const value: unknown =
    typeof params === "object" && params !== null ? Reflect.get(params, name) : undefined;
  return typeof value === "string" ? value : "";
};

/** The server as a resource for the guard. */
export const serverResource = (request: FastifyRequest): Resource => ({
  user: text(request.params, "user"),
  server: text(request.params, "server"),
});

/** The user as a resource for the guard. */
export const userResource = (request: FastifyRequest): Resource => ({ user: text(request.params, "user") });
