import { visibleFields } from "@elara/runtime/scopes/fields";
import type { ScopeSet } from "@elara/runtime/scopes/scope-set";

/** JupyterHub's model of a service of the configuration, which the hub neither runs nor routes. Its name is always shown. */
export function serviceModel(name: string, scopes: ScopeSet) {
  const model = {
    kind: "service",
    name,
    admin: false,
    roles: [],
    url: "",
    prefix: "",
    command: [],
    pid: 0,
    info: {},
    display: true,
  };
  const visible = new Set([...ALWAYS, ...visibleFields("service", scopes, { service: name })]);
  return Object.fromEntries(Object.entries(model).filter(([field]) => visible.has(field)));
}

/** What every credential may read of its owner. */
const ALWAYS = ["kind", "name", "admin"];
