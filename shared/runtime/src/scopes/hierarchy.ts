/** What a scope is for, and the scopes it brings along. */
export interface ScopeEntry {
  readonly subscopes: readonly Scope[];
  /** A sentence for the person who is asked to grant it. */
  readonly description: string;
}

/** Every scope there is. */
export type Scope =
  | "admin-ui"
  | "admin:users"
  | "admin:auth_state"
  | "users"
  | "delete:users"
  | "list:users"
  | "read:users"
  | "read:users:name"
  | "read:users:groups"
  | "read:users:activity"
  | "users:activity"
  | "read:roles"
  | "read:roles:users"
  | "read:roles:services"
  | "read:roles:groups"
  | "admin:servers"
  | "admin:server_state"
  | "servers"
  | "read:servers"
  | "start:servers"
  | "delete:servers"
  | "tokens"
  | "read:tokens"
  | "admin:groups"
  | "groups"
  | "delete:groups"
  | "list:groups"
  | "read:groups"
  | "read:groups:name"
  | "admin:services"
  | "list:services"
  | "read:services"
  | "read:services:name"
  | "read:hub"
  | "read:metrics"
  | "access:servers"
  | "access:services"
  | "shares"
  | "users:shares"
  | "groups:shares"
  | "read:users:shares"
  | "read:groups:shares"
  | "read:shares"
  | "read:events"
  | "read:events:servers"
  | "read:events:users"
  | "read:events:sessions"
  | "read:events:tokens"
  | "proxy"
  | "shutdown";

const scope = (description: string, ...subscopes: Scope[]): ScopeEntry => ({ subscopes, description });

/** JupyterHub's scope tree, and `read:events` beside it: each scope with its direct subscopes. Pure data. */
export const HIERARCHY: Readonly<Record<Scope, ScopeEntry>> = {
  "admin-ui": scope("Open the administrators' page."),
  "admin:users": scope(
    "Create, change and delete users.",
    "admin:auth_state",
    "users",
    "read:roles:users",
    "delete:users",
  ),
  "admin:auth_state": scope("See what the sign-in provider said about users."),
  users: scope("See and change users.", "read:users", "list:users", "users:activity"),
  "delete:users": scope("Delete users."),
  "list:users": scope("List users.", "read:users:name"),
  "read:users": scope(
    "See users: name, groups, activity.",
    "read:users:name",
    "read:users:groups",
    "read:users:activity",
  ),
  "read:users:name": scope("See users' names."),
  "read:users:groups": scope("See which groups users belong to."),
  "read:users:activity": scope("See when users were last active."),
  "users:activity": scope("Report users' activity.", "read:users:activity"),
  "read:roles": scope("See roles.", "read:roles:users", "read:roles:services", "read:roles:groups"),
  "read:roles:users": scope("See users' roles."),
  "read:roles:services": scope("See services' roles."),
  "read:roles:groups": scope("See groups' roles."),
  "admin:servers": scope("Manage servers and see their internal state.", "admin:server_state", "servers"),
  "admin:server_state": scope("See the internal state of servers."),
  servers: scope("Start and stop servers.", "read:servers", "start:servers", "delete:servers"),
  "read:servers": scope("See servers and whether they run.", "read:users:name"),
  "start:servers": scope("Start servers."),
  "delete:servers": scope("Stop and remove servers."),
  tokens: scope("Make, see and revoke API tokens.", "read:tokens"),
  "read:tokens": scope("See API tokens (not the secrets)."),
  "admin:groups": scope("Create, change and delete groups.", "groups", "read:roles:groups", "delete:groups"),
  groups: scope("See groups and change their members.", "read:groups", "list:groups"),
  "delete:groups": scope("Delete groups."),
  "list:groups": scope("List groups.", "read:groups:name"),
  "read:groups": scope("See groups and their members.", "read:groups:name"),
  "read:groups:name": scope("See groups' names."),
  "admin:services": scope(
    "Create, change and delete services.",
    "list:services",
    "read:services",
    "read:roles:services",
  ),
  "list:services": scope("List services.", "read:services:name"),
  "read:services": scope("See services.", "read:services:name"),
  "read:services:name": scope("See services' names."),
  "read:hub": scope("See details of the hub."),
  "read:metrics": scope("Read the hub's metrics."),
  "access:servers": scope("Open servers and work in them."),
  "access:services": scope("Open services."),
  shares: scope("Share access to servers.", "access:servers", "read:shares", "users:shares", "groups:shares"),
  "users:shares": scope("See and leave what is shared with users.", "read:users:shares"),
  "groups:shares": scope("See and leave what is shared with groups.", "read:groups:shares"),
  "read:users:shares": scope("See what is shared with users."),
  "read:groups:shares": scope("See what is shared with groups."),
  "read:shares": scope("See with whom servers are shared."),
  "read:events": scope(
    "Follow every event of the hub.",
    "read:events:servers",
    "read:events:users",
    "read:events:sessions",
    "read:events:tokens",
  ),
  "read:events:servers": scope("Follow what happens to servers."),
  "read:events:users": scope("Follow what happens to users."),
  "read:events:sessions": scope("Follow log-ins and log-outs."),
  "read:events:tokens": scope("Follow which API tokens are made and revoked (not the secrets)."),
  proxy: scope("See and refresh the proxy's routes."),
  shutdown: scope("Shut the hub down."),
};

/** Whether the text names a scope (without filter). */
export const isScope = (name: string): name is Scope => Object.hasOwn(HIERARCHY, name);

const closures = new Map<Scope, ReadonlySet<Scope>>();

/** The scope itself and all it brings along, directly or not. */
export function withSubscopes(name: Scope): ReadonlySet<Scope> {
  const known = closures.get(name);
  if (known) return known;
  const closure = new Set<Scope>([name]);
  for (const child of HIERARCHY[name].subscopes) for (const each of withSubscopes(child)) closure.add(each);
  closures.set(name, closure);
  return closure;
}
