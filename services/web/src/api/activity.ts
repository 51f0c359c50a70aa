import { codeOf, HubError } from "@elara/contracts";
import type { FastifyInstance, FastifyRequest } from "fastify";
import type { WebDeps } from "../deps.ts";
import { parseTime } from "../models/api-time.ts";
import { type Body, badRequest, isObject } from "./body.ts";
import { callerOf } from "./caller.ts";
import { userResource } from "./server-params.ts";

const AHEAD_MS = 59 * 60 * 1000;
const SERVERS_FORM = "servers must be a dict of the form {server_name: {last_activity: timestamp}}";

/** Reports of activity (contract §1.3): folded in memory and sent on, so they are taken also while bus or store is away. */
export function activityRoutes(app: FastifyInstance, deps: WebDeps): void {
  const access = { kind: "scopes", anyOf: ["users:activity"], resource: userResource } as const;
  app.post<{ Params: { user: string } }>(
    "/users/:user/activity",
    { config: { access, duringOutage: "serve" } },
    async (request, reply) => {
      const known = await knownServers(request, request.params.user);
      const report = readReport(request.body, request.params.user, known.serverIds, deps.clock.now());
      if (report.user !== undefined)
        deps.activity.note(known.userId, `u:${known.userId}`, { report: report.user });
      for (const [serverId, at] of report.servers)
        deps.activity.note(known.userId, `s:${serverId}`, { report: at });
      return reply.type("application/json").send("");
    },
  );

  /** Whose servers may be reported. While the store is away a server's own token still tells whose and which it is. */
  async function knownServers(
    request: FastifyRequest,
    userName: string,
  ): Promise<{ userId: string; serverIds: (name: string) => string | undefined }> {
    try {
      const user = await deps.reads.userByName(userName);
      if (!user) throw new HubError("NOT_FOUND");
      const servers = await deps.reads.serversOfUser(user._id);
      return { userId: user._id, serverIds: (name) => servers.find((server) => server.name === name)?._id };
    } catch (error) {
      const identity = callerOf(request);
      if (codeOf(error) !== "STORE_AWAY" || identity.name !== userName) throw error;
      return { userId: identity.userId, serverIds: () => identity.serverId };
    }
  }
}

interface Report {
  readonly user: string | undefined;
  /** Server id and time. */
  readonly servers: readonly (readonly [string, string])[];
}

function readReport(
  body: unknown,
  userName: string,
  serverIds: (name: string) => string | undefined,
  now: number,
): Report {
  if (!isObject(body)) throw badRequest("body must be a json dict");
  const { last_activity: user, servers } = body;
  if (!user && !servers) throw badRequest("body must contain at least one of `last_activity` or `servers`");
  if (servers && !isObject(servers)) throw badRequest(SERVERS_FORM);
  return {
    servers: isObject(servers) ? readServers(servers) : [],
    user: user ? readTime(user, now) : undefined,
  };

  function readServers(entries: Body): Report["servers"] {
    return Object.entries(entries).map(([name, info]) => {
      const id = serverIds(name);
      if (id === undefined) throw badRequest(`No such server '${name}' for user ${userName}`);
      if (!isObject(info) || info.last_activity === undefined) throw badRequest(SERVERS_FORM);
      return [id, readTime(info.last_activity, now)] as const;
    });
  }
}

function readTime(value: unknown, now: number): string {
  const at = parseTime(value);
  if (at === undefined) throw badRequest(`Not a valid timestamp: ${JSON.stringify(value)?.slice(0, 80)}`);
  if (Date.parse(at) - now > AHEAD_MS)
    throw badRequest(`Rejecting activity from more than an hour in the future: ${at}`);
  return at;
}
