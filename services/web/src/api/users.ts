import { AuthCreateUser, AuthDeleteUser, AuthUpdateUser, codeOf, HubError } from "@elara/contracts";
import { originOf } from "@elara/runtime/http/paths";
import type { Identity } from "@elara/runtime/store/read/identity";
import type { PublishedUser } from "@elara/runtime/store/read/users";
import type { FastifyInstance } from "fastify";
import type { WebDeps } from "../deps.ts";
import { listBody, sliceOf } from "../models/pagination.ts";
import { serverState } from "../models/server-state.ts";
import { USER_SCOPES, userModel } from "../models/user-model.ts";
import { actorOf } from "../orders.ts";
import { badRequest, isObject } from "./body.ts";
import { callerOf } from "./caller.ts";
import { userResource } from "./server-params.ts";
import { checkMayGrantAdmin, forbidden, readUserChanges } from "./user-changes.ts";
import { listUsers, readUserQuery } from "./user-list.ts";

type Query = { Querystring: Readonly<Record<string, string | undefined>> };
type OneUser = { Params: { user: string } };

const wantsStopped = (value: string | undefined): boolean =>
  value !== undefined && !["", "0", "false"].includes(value.toLowerCase());

/** Users: list, read, create, change, delete (contract §1.3). */
export function usersRoutes(app: FastifyInstance, deps: WebDeps): void {
  app.get<Query>(
    "/users",
    { config: { access: { kind: "scopes", anyOf: ["list:users"], list: true } } },
    async (request) => {
      const slice = sliceOf(request.query, request.headers.accept, deps.config);
      const { scopes } = callerOf(request);
      const query = { ...readUserQuery(request.query), ...slice, visible: scopes.usersOf("list:users") };
      const { users, total } = await listUsers(deps.reads, query);
      const includeStopped = wantsStopped(request.query.include_stopped_servers);
      const facts = await factsOf(users);
      const models = facts
        .filter(
          ({ servers }) => query.state !== "ready" || servers.some((server) => serverState(server).ready),
        )
        .map((fact) => userModel(fact, scopes, deps.hub, { includeStopped }))
        .filter((model) => model !== undefined);
      return listBody(models, slice, total, new URL(request.url, originOf(request, deps.hub)));
    },
  );

  app.post("/users", admin(), async (request, reply) => {
    const by = callerOf(request);
    const { names, isAdmin } = readNewUsers(request.body, by);
    const existing = new Set((await deps.reads.usersByNames(names)).map((user) => user.name));
    const missing = names.filter((name) => !existing.has(name));
    if (missing.length === 0)
      throw new HubError("USER_EXISTS", { message: `All ${names.length} users already exist` });
    const made: string[] = [];
    for (const name of missing) made.push(await create(name, isAdmin, by, "skip existing"));
    const created = await deps.reads.usersByNames(made);
    const inOrder = made.flatMap((name) => created.filter((user) => user.name === name));
    return reply.code(201).send((await factsOf(inOrder)).map((fact) => userModel(fact, by.scopes, deps.hub)));
  });

  app.get<OneUser & Query>(
    "/users/:user",
    { config: { access: { kind: "scopes", anyOf: USER_SCOPES, resource: userResource } } },
    async (request) => {
      const includeStopped = wantsStopped(request.query.include_stopped_servers);
      return oneModel(await find(request.params.user), callerOf(request), includeStopped);
    },
  );

  app.post<OneUser>("/users/:user", admin(), async (request, reply) => {
    const by = callerOf(request);
    const changes = request.body === undefined ? {} : readUserChanges(request.body);
    const name = normalName(request.params.user);
    if (await deps.reads.userByName(name))
      throw new HubError("USER_EXISTS", { message: `User ${name} already exists` });
    checkMayGrantAdmin(by, changes);
    const made = await create(name, changes.admin === true, by);
    return reply.code(201).send(await oneModel(await find(made), by, false));
  });

  app.patch<OneUser>("/users/:user", admin(), async (request) => {
    const by = callerOf(request);
    const user = await find(request.params.user);
    const changes = readUserChanges(request.body);
    const name = changes.name === undefined ? user.name : normalName(changes.name);
    if (name !== user.name && (await deps.reads.userByName(name)))
      throw badRequest(`User ${name} already exists, username must be unique`);
    if (!by.admin && user.admin) throw forbidden("Only admins can modify other admins");
    checkMayGrantAdmin(by, changes);
    const order = {
      userId: user._id,
      ...(name === user.name ? {} : { name }),
      ...(changes.admin === undefined || changes.admin === user.admin ? {} : { admin: changes.admin }),
      actor: actorOf(by),
    };
    if (order.name !== undefined || order.admin !== undefined)
      await deps.bus.request(AuthUpdateUser, order).catch(nameRefused(name));
    return oneModel(await find(name), by, false);
  });

  app.delete<OneUser>(
    "/users/:user",
    { config: { access: { kind: "scopes", anyOf: ["delete:users"], resource: userResource } } },
    async (request, reply) => {
      const by = callerOf(request);
      const user = await find(request.params.user);
      if (by.kind === "user" && by.userId === user._id) throw badRequest("Cannot delete yourself!");
      await deps.bus.request(AuthDeleteUser, { userId: user._id, actor: actorOf(by) });
      const isGone = await waitUntilGone(user._id);
      return reply.code(isGone ? 204 : 202).send();
    },
  );

  async function find(name: string): Promise<PublishedUser> {
    const user = await deps.reads.userByName(name);
    if (!user) throw new HubError("NOT_FOUND");
    return user;
  }

  /** The name under which auth keeps the user. */
  async function create(
    name: string,
    isAdmin: boolean,
    by: Identity,
    ifExists?: "skip existing",
  ): Promise<string> {
    try {
      const made = await deps.bus.request(AuthCreateUser, { name, admin: isAdmin, actor: actorOf(by) });
      return made.name;
    } catch (error) {
      if (codeOf(error) === "USER_EXISTS" && ifExists) return name;
      return nameRefused(name)(error);
    }
  }

  async function factsOf(users: readonly PublishedUser[]) {
    const ids = users.map((user) => user._id);
    const [servers, timesOf] = await Promise.all([
      deps.reads.serversOfUsers(ids),
      deps.reads.timesOfMany(ids),
    ]);
    return users.map((user) => ({ user, servers: servers.get(user._id) ?? [], times: timesOf(user._id) }));
  }

  async function oneModel(user: PublishedUser, by: Identity, includeStopped: boolean) {
    const [facts] = await factsOf([user]);
    const model = facts && userModel(facts, by.scopes, deps.hub, { includeStopped });
    if (!model) throw new HubError("NO_ACCESS");
    return model;
  }

  async function waitUntilGone(userId: string): Promise<boolean> {
    const end = performance.now() + deps.config.slowStopSeconds * 1000;
    while ((await deps.reads.usersByIds([userId])).length > 0) {
      if (performance.now() >= end) return false;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    return true;
  }
}

const admin = () => ({
  config: { access: { kind: "scopes", anyOf: ["admin:users"], resource: userResource } as const },
});

const invalidName = (name: string): HubError =>
  new HubError("USER_NAME_INVALID", { message: `Invalid username: ${name.slice(0, 80)}` });

/** Trims and lower-cases; refuses what can be no name. Auth, which owns the rules, may refuse more. */
function normalName(given: string): string {
  const name = given.trim().toLowerCase();
  if (name === "" || name.includes("/") || /^\.+$/.test(name)) throw invalidName(given);
  return name;
}

const nameRefused =
  (name: string) =>
  (error: unknown): never => {
    throw codeOf(error) === "USER_NAME_INVALID" ? invalidName(name) : error;
  };

function readNewUsers(body: unknown, by: Identity): { names: string[]; isAdmin: boolean } {
  const usernames = isObject(body) ? body.usernames : undefined;
  if (!isObject(body) || !Array.isArray(usernames) || usernames.length === 0)
    throw badRequest("Must specify at least one user to create");
  const { usernames: _, ...rest } = body;
  const changes = readUserChanges(rest);
  checkMayGrantAdmin(by, changes);
  const names = usernames.map((name: unknown) => normalName(typeof name === "string" ? name : ""));
  return { names: [...new Set(names)], isAdmin: changes.admin === true };
}
