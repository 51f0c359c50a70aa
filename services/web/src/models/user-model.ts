import type { LastTimes, ServerModel, UserModel } from "@elara/contracts";
import { visibleFields } from "@elara/runtime/scopes/fields";
import type { ScopeSet } from "@elara/runtime/scopes/scope-set";
import type { PublishedServer } from "@elara/runtime/store/read/servers";
import type { PublishedUser } from "@elara/runtime/store/read/users";
import { apiTime, latest } from "./api-time.ts";
import { type ModelHub, serverModel } from "./server-model.ts";
import { serverState } from "./server-state.ts";

/** Scopes of which one must be held to see a user at all. */
export const USER_SCOPES = [
  "read:users",
  "read:users:name",
  "read:servers",
  "read:users:groups",
  "read:users:activity",
  "read:roles:users",
] as const;

export interface UserFacts {
  readonly user: PublishedUser;
  readonly servers: readonly PublishedServer[];
  /** Last times by activity key: `u:{userId}`, `s:{serverId}`. */
  readonly times: (key: string) => LastTimes | undefined;
}

/** When the user last did something: log-in, use of a credential, traffic. */
export const userLastActivity = (user: PublishedUser, times: LastTimes | undefined): string =>
  latest(user.lastLoginAt, times?.traffic, times?.report, times?.use);

/** JupyterHub's user model, limited to what the scopes show; undefined when that is nothing. */
export function userModel(
  facts: UserFacts,
  scopes: ScopeSet,
  hub: ModelHub,
  options: { readonly includeStopped?: boolean; readonly always?: readonly string[] } = {},
): UserModel | undefined {
  const { name } = facts.user;
  const fields = visibleFields("user", scopes, { user: name });
  for (const field of options.always ?? []) fields.add(field);
  const servers = visibleServers(facts, scopes, hub, options.includeStopped === true);
  // A scope for one server shows its owner's name and that server.
  if (Object.keys(servers).length > 0) fields.add("name").add("servers");
  if (fields.size === 0) return undefined;
  const shown = Object.entries({ ...everyField(facts), servers }).filter(([field]) => fields.has(field));
  return Object.assign<UserModel, Partial<UserModel>>({ kind: "user", name }, Object.fromEntries(shown));
}

type OtherFields = Omit<Required<UserModel>, "kind" | "name" | "servers">;

function everyField({ user, servers, times }: UserFacts): OtherFields {
  const own = servers.find((server) => server.name === "");
  const state = own && serverState(own);
  return {
    admin: user.admin,
    roles: user.admin ? ["admin", "user"] : ["user"],
    groups: [],
    server: own && state?.ready ? own.path : null,
    pending: state?.pending ?? null,
    created: apiTime(user.createdAt) ?? "",
    last_activity: apiTime(userLastActivity(user, times(`u:${user._id}`))),
    user_info: null,
    auth_state: null,
  };
}

function visibleServers(
  { user, servers, times }: UserFacts,
  scopes: ScopeSet,
  hub: ModelHub,
  includeStopped: boolean,
): Record<string, ServerModel> {
  const visible = servers
    .filter((server) => server.deletedAt === "")
    .filter((server) => scopes.allows("read:servers", { user: user.name, server: server.name }))
    .filter((server) => includeStopped || serverState(server).active)
    .map((server): [string, ServerModel] => [
      server.name,
      serverModel(server, hub, {
        times: times(`s:${server._id}`),
        withState: scopes.allows("admin:server_state", { user: user.name, server: server.name }),
      }),
    ]);
  return Object.fromEntries(visible);
}
