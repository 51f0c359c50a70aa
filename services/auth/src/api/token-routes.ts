import { HubError, type Token, type User } from "@elara/contracts";
import { hubPath } from "@elara/runtime/http/paths";
import type { Identity } from "@elara/runtime/store/read/identity";
import type { FastifyInstance, FastifyRequest } from "fastify";
import { textOf } from "../fields.ts";
import type { Ground } from "../ground.ts";
import { type LoginWays, wayOf } from "../login/ways.ts";
import type { Login } from "../login.ts";
import { callbackUrl } from "../pages/place.ts";
import type { Mint } from "../people/mint.ts";
import { PLAIN_CLIENT, type TokenBook } from "../people/token-book.ts";
import type { UserBook } from "../people/user-book.ts";
import { type TokenModel, tokenModel } from "./token-model.ts";
import { tokenRequest } from "./token-request.ts";

const DAY_SECONDS = 86_400;

export interface TokenRouteParts {
  readonly ground: Ground;
  readonly users: UserBook;
  readonly tokens: TokenBook;
  readonly mint: Mint;
  readonly login: Login;
  readonly ways: LoginWays;
}

/** `/hub/api/users/:user/tokens[/:id]` (contract §1.3). */
export function tokenRoutes(app: FastifyInstance, parts: TokenRouteParts): void {
  const { ground, tokens, mint } = parts;
  const url = `${hubPath(ground.hub)}api/users/:user/tokens`;
  const name = (request: FastifyRequest): string => textOf(request.params, "user") ?? "";
  const access = (scope: "read:tokens" | "tokens") =>
    ({
      kind: "scopes",
      anyOf: [scope],
      resource: (request: FastifyRequest) => ({ user: name(request) }),
    }) as const;

  app.get(url, { config: { access: access("read:tokens") } }, async (request) => {
    const user = await userOf(request);
    return { api_tokens: await models(ground, await tokens.valid({ userId: user._id }), user) };
  });

  app.get(`${url}/:id`, { config: { access: access("read:tokens") } }, async (request) => {
    const user = await userOf(request);
    const [model] = await models(ground, [await tokenOf(request, user)], user);
    return model;
  });

  app.delete(`${url}/:id`, { config: { access: access("tokens") } }, async (request, reply) => {
    const user = await userOf(request);
    const token = await tokenOf(request, user);
    await revokeWithKin(tokens, token, actorOf(request.identity));
    return reply.status(204).send();
  });

  // Open, because a client without credentials may bring a password in the body.
  app.post(url, { config: { access: { kind: "public" } } }, async (request, reply) => {
    const identity = await request.identify();
    if (identity?.via === "cookie") app.xsrf.check(request);
    const wanted = tokenRequest(request.body, ground.config.tokenMaxDays * DAY_SECONDS);
    const user = identity ? await ownerFor(identity, name(request)) : await proven(request, wanted.auth);
    const isOwn = !identity || identity.userId === user._id;
    const note =
      wanted.note || (isOwn ? "Requested via api" : `Requested via api by ${identity.kind} ${identity.name}`);
    const made = await mint({ ...wanted, user, note, ...(identity ? { by: identity } : {}) });
    const [model] = await models(ground, [made.token], user);
    return reply.status(201).send({ ...model, token: made.secret });
  });

  async function userOf(request: FastifyRequest): Promise<User> {
    const user = await livingByName(parts.users, name(request));
    if (!user) throw new HubError("NO_ACCESS");
    return user;
  }

  async function tokenOf(request: FastifyRequest, user: User): Promise<Token> {
    const id = textOf(request.params, "id") ?? "";
    const [token] = await tokens.valid({ userId: user._id, publicId: id });
    if (token) return token;
    throw new HubError("TOKEN_NOT_FOUND", { message: `No such token ${id} for user ${user.name}` });
  }

  /** The same answer for a user who is not there and one who is out of reach. */
  async function ownerFor(identity: Identity, owner: string): Promise<User> {
    const user = identity.scopes.allows("tokens", { user: owner })
      ? await livingByName(parts.users, owner)
      : undefined;
    if (user) return user;
    throw new HubError("SCOPE_MISSING", {
      message: `User ${owner} not found or no permissions to generate tokens`,
    });
  }

  async function proven(
    request: FastifyRequest,
    auth: Readonly<Record<string, string>> | undefined,
  ): Promise<User> {
    if (!auth) throw new HubError("NO_CREDENTIALS");
    const way = wayOf(parts.ways, undefined);
    const start = await way.authenticator.begin({
      callbackUrl: callbackUrl(request, ground.hub, way.name),
    });
    if (start.kind !== "form") throw new HubError("NO_CREDENTIALS");
    const user = await parts.login.identify({
      way,
      // Always a name, so that the throttle counts.
      input: { username: "", ...auth },
      callbackUrl: callbackUrl(request, ground.hub, way.name),
      address: request.ip,
    });
    if (user.name !== name(request)) throw new HubError("NO_CREDENTIALS");
    return user;
  }
}

/** The living user of this name, as written. */
export async function livingByName(users: UserBook, name: string): Promise<User | undefined> {
  const user = await users.holder(name);
  return user?.deletedAt === "" && user.deletingAt === "" ? user : undefined;
}

/** Revokes a token; one that a client was given takes the user's other tokens of that client along. */
export async function revokeWithKin(tokens: TokenBook, token: Token, actor: string): Promise<void> {
  await tokens.revoke(token._id, actor);
  if (token.kind === "oauth")
    await tokens.revokeWhere({ userId: token.userId, clientId: token.clientId }, actor);
}

/** Who is named in events. */
export const actorOf = (identity: Identity | undefined): string =>
  identity === undefined
    ? "system:auth"
    : identity.kind === "user"
      ? `user:${identity.userId}`
      : `service:${identity.name}`;

/** Models of a user's tokens, latest use first where there is one. */
export async function models(ground: Ground, list: readonly Token[], user: User): Promise<TokenModel[]> {
  const lastUse = await ground.lastUses(user._id);
  const clients = new Map<string, string>([[PLAIN_CLIENT, "JupyterHub"]]);
  for (const { clientId } of list)
    if (!clients.has(clientId))
      clients.set(clientId, (await ground.records.clients.get(clientId))?.description ?? clientId);
  return list
    .map((token) => {
      const lastUsed = lastUse(token.publicId);
      return {
        sortBy: lastUsed || token.createdAt,
        model: tokenModel(token, user, { lastUsed, client: clients.get(token.clientId) ?? "" }),
      };
    })
    .sort((a, b) => (a.sortBy < b.sortBy ? 1 : a.sortBy > b.sortBy ? -1 : 0))
    .map(({ model }) => model);
}
