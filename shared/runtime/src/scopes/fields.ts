import type { Resource } from "./filter.ts";
import type { Scope } from "./hierarchy.ts";
import type { ScopeSet } from "./scope-set.ts";

type Fields = readonly (readonly [Scope, readonly string[]])[];

/** Fields of the user model by scope; one sees the union over the scopes held for that user. */
const USER: Fields = [
  [
    "read:users",
    [
      "kind",
      "name",
      "user_info",
      "admin",
      "roles",
      "groups",
      "server",
      "pending",
      "created",
      "last_activity",
    ],
  ],
  ["read:users:name", ["kind", "name", "user_info", "admin"]],
  ["read:users:groups", ["kind", "name", "groups"]],
  ["read:users:activity", ["kind", "name", "last_activity"]],
  ["read:servers", ["kind", "name", "servers"]],
  ["read:roles:users", ["kind", "name", "roles", "admin"]],
  ["admin:auth_state", ["kind", "name", "auth_state"]],
];
const GROUP: Fields = [
  ["read:groups", ["kind", "name", "properties", "users"]],
  ["read:groups:name", ["kind", "name"]],
  ["read:roles:groups", ["kind", "name", "roles"]],
];
const SERVICE: Fields = [
  ["read:services", ["kind", "name", "admin", "url", "prefix", "command", "pid", "info", "display"]],
  ["read:services:name", ["kind", "name", "admin"]],
  ["read:roles:services", ["kind", "name", "roles", "admin"]],
];
const MODELS = { user: USER, group: GROUP, service: SERVICE };

/** Which fields of the model of this user, group or service may be shown; empty: none, the resource is not visible. */
export function visibleFields(model: keyof typeof MODELS, scopes: ScopeSet, resource: Resource): Set<string> {
  const fields = new Set<string>();
  for (const [scope, names] of MODELS[model]) {
    if (scopes.allows(scope, resource)) for (const name of names) fields.add(name);
  }
  return fields;
}
