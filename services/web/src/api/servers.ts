import { HubError } from "@elara/contracts";
import type { PublishedServer } from "@elara/runtime/store/read/servers";
import type { PublishedUser } from "@elara/runtime/store/read/users";
import type { FastifyInstance, FastifyRequest } from "fastify";
import type { WebDeps } from "../deps.ts";
import { checkWish } from "../form/choice-faults.ts";
import { waitForStart, waitForStop } from "../live/wait-for-start.ts";
import { serverModel } from "../models/server-model.ts";
import { checkServerName } from "../models/server-name.ts";
import { orderCreate, orderStart, orderStop } from "../orders.ts";
import { isObject } from "./body.ts";
import { callerOf } from "./caller.ts";
import { serverWish } from "./server-body.ts";
import { type ServerParams, serverOf, serverPaths, serverResource } from "./server-params.ts";

/** A user's servers: read, create, start, stop (contract §1.3, §5.3, §5.4, §5.7). */
export function serverRoutes(app: FastifyInstance, deps: WebDeps): void {
  for (const path of serverPaths) {
    app.get<ServerParams>(path, access("read:servers"), async (request) => {
      const { user, server } = await readServer(request);
      if (!server) throw new HubError("NOT_FOUND");
      return model(request, user, server);
    });

    app.put<ServerParams>(path, access("start:servers"), async (request, reply) => {
      const { user, serverName, server } = await readServer(request);
      if (serverName === "" || server) throw exists(user, serverName);
      checkServerName(serverName);
      const by = callerOf(request);
      const wish = await wishOf(request, user, server);
      const created = await orderCreate(deps.bus, { user, serverName, by }, wish);
      const doc = await deps.reads.serverById(created.serverId);
      if (!doc) throw new HubError("NOT_FOUND");
      return reply.code(201).send(await model(request, user, doc));
    });

    app.post<ServerParams>(path, access("start:servers"), async (request, reply) => {
      const { user, serverName, server } = await readServer(request);
      if (serverName !== "" && !server) checkServerName(serverName);
      const by = callerOf(request);
      const wish = await wishOf(request, user, server);
      const start = await orderStart(deps.bus, { user, serverName, by }, wish);
      const outcome = await waitForStart(deps, start, deps.config.slowSpawnSeconds * 1000);
      return reply
        .code(outcome === "ready" ? 201 : 202)
        .type("text/plain")
        .send("");
    });

    app.delete<ServerParams>(path, access("delete:servers"), async (request, reply) => {
      const { user, serverName, server } = await readServer(request);
      const remove = isObject(request.body) && request.body.remove === true;
      if (serverName === "" && remove) throw badDefault();
      if (serverName !== "" && !server) throw noServer(user, serverName);
      if (!server) return reply.code(204).send();
      const stop = await orderStop(deps.bus, { user, server, by: callerOf(request) }, remove);
      const target = { serverId: server._id, generation: stop.generation };
      const stopped = await waitForStop(deps, target, deps.config.slowStopSeconds * 1000);
      if (stopped) await deps.identities.refresh().catch(() => undefined);
      return stopped ? reply.code(204).send() : reply.code(202).type("text/plain").send("");
    });
  }

  async function readServer(request: FastifyRequest<ServerParams>) {
    const { userName, serverName } = serverOf(request);
    const user = await deps.reads.userByName(userName);
    if (!user) throw new HubError("NOT_FOUND");
    return { user, serverName, server: await deps.reads.serverByName(user._id, serverName) };
  }

  /** What the body wishes; all that is wrong with it is told at once, in the words of the spawn form. */
  async function wishOf({ body }: FastifyRequest, user: PublishedUser, last: PublishedServer | undefined) {
    const wish = serverWish(body);
    if (wish.options !== undefined) checkWish(wish, await deps.reads.profilesFor(user), last);
    return wish;
  }

  async function model(request: FastifyRequest, user: PublishedUser, server: PublishedServer) {
    const { scopes } = callerOf(request);
    const times = await deps.reads.times(user._id);
    const withState = scopes.allows("admin:server_state", { user: user.name, server: server.name });
    return serverModel(server, deps.hub, { times: times(`s:${server._id}`), withState });
  }
}

const access = (scope: "read:servers" | "start:servers" | "delete:servers") => ({
  config: { access: { kind: "scopes", anyOf: [scope], resource: serverResource } as const },
});

const exists = (user: PublishedUser, serverName: string): HubError =>
  new HubError("SERVER_EXISTS", {
    message: `User ${user.name} already has ${serverName === "" ? "a default server" : `server ${serverName}`}`,
  });
const noServer = (user: PublishedUser, serverName: string): HubError =>
  new HubError("SERVER_NOT_FOUND", { message: `${user.name} has no server named '${serverName}'` });
const badDefault = (): HubError =>
  new HubError("BAD_REQUEST", { message: "Cannot delete the default server" });
