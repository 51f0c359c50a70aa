import { servers, sessions, type Token, tokens, type User, users } from "@elara/contracts";
import { type Clock, timestamp } from "../../clock.ts";
import { expandScopes, type ScopeOwner, tokenScopes } from "../../scopes/expand.ts";
import type { GroupLookup } from "../../scopes/filter.ts";
import { roleScopes, rolesOf } from "../../scopes/roles.ts";
import type { ScopeSet } from "../../scopes/scope-set.ts";
import type { Store } from "../store.ts";
import { documentsOf } from "./documents-of.ts";
import type { Identity } from "./identity-model.ts";

const serversIn = documentsOf(servers);
const sessionsIn = documentsOf(sessions);
const tokensIn = documentsOf(tokens);
const usersIn = documentsOf(users);

/** An identity as read, with what ends it. */
export interface Loaded {
  readonly identity: Identity;
  /** "" for never. */
  readonly expiresAt: string;
  /** The user's mark at the time of reading. */
  readonly accessChangedAt: string;
}

export interface IdentityLoaderOptions {
  readonly store: Store;
  readonly clock: Clock;
  readonly groups: GroupLookup;
  readonly serviceScopes: (name: string) => readonly string[];
}

/** Reads identities from the store, by digest of the credential; undefined for everything that does not count any more. */
export interface IdentityLoader {
  byToken(credential: string): Promise<Loaded | undefined>;
  byCookie(credential: string): Promise<Loaded | undefined>;
}

export function identityLoader({
  store,
  clock,
  groups,
  serviceScopes,
}: IdentityLoaderOptions): IdentityLoader {
  const isOver = (time: string): boolean => time !== "" && time <= timestamp(clock.now());

  const livingUser = async (id: string): Promise<User | undefined> => {
    const user = await usersIn(store).get(id);
    return user && user.deletedAt === "" && user.deletingAt === "" ? user : undefined;
  };

  const scopesOf = (user: User): ScopeSet =>
    expandScopes(rolesOf(user).flatMap(roleScopes), { kind: "user", name: user.name }, groups);

  const ofUser = (user: User) => ({
    kind: "user" as const,
    userId: user._id,
    name: user.name,
    admin: user.admin,
    roles: rolesOf(user),
    groups: groups.groupsOf(user.name),
  });

  /** The token's server as scopes name it; asked only when a scope needs it. */
  const serverOf = async (token: Token, user: User): Promise<string | undefined> => {
    if (token.serverId === "" || !token.scopes.some((scope) => scope.endsWith("!server"))) return undefined;
    const server = await serversIn(store).get(token.serverId);
    return server && `${user.name}/${server.name}`;
  };

  const ofToken = (token: Token, credential: string) => ({
    via: "token" as const,
    tokenId: token.publicId,
    sessionId: token.sessionId || null,
    credential,
    tokenKind: token.kind,
    note: token.note,
    ...(token.serverId === "" ? {} : { serverId: token.serverId }),
  });

  const serviceToken = (token: Token, credential: string): Loaded => {
    const owner: ScopeOwner = { kind: "service", name: token.service };
    // A token of the configuration says itself what the service may do: written by auth, known everywhere.
    const given = token.kind === "service" ? token.scopes : serviceScopes(token.service);
    const scopes = tokenScopes(token.scopes, owner, expandScopes(given, owner, groups), groups);
    const identity: Identity = {
      kind: "service",
      userId: "",
      name: token.service,
      admin: false,
      roles: [],
      groups: [],
      scopes,
      ...ofToken(token, credential),
    };
    return { identity, expiresAt: token.expiresAt, accessChangedAt: "" };
  };

  return {
    async byToken(credential) {
      const token = await tokensIn(store).get(credential);
      if (token?.deletedAt !== "" || token.revokedAt !== "" || isOver(token.expiresAt)) return undefined;
      if (token.service !== "") return serviceToken(token, credential);
      const user = await livingUser(token.userId);
      if (!user) return undefined;
      const server = await serverOf(token, user);
      const owner: ScopeOwner = {
        kind: "user",
        name: user.name,
        ...(server === undefined ? {} : { server }),
      };
      const scopes = tokenScopes(token.scopes, owner, scopesOf(user), groups);
      const identity: Identity = { ...ofUser(user), scopes, ...ofToken(token, credential) };
      return { identity, expiresAt: token.expiresAt, accessChangedAt: user.accessChangedAt };
    },

    async byCookie(credential) {
      const session = await sessionsIn(store).get(credential);
      if (session?.revokedAt !== "" || isOver(session.expiresAt)) return undefined;
      const user = await livingUser(session.userId);
      if (!user) return undefined;
      const identity: Identity = {
        ...ofUser(user),
        scopes: scopesOf(user),
        via: "cookie",
        tokenId: null,
        sessionId: session.sessionId,
        credential,
      };
      return { identity, expiresAt: session.expiresAt, accessChangedAt: user.accessChangedAt };
    },
  };
}
