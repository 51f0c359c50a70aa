import type { ServiceName } from "@elara/contracts";

/**
 * Which service answers below which path (behind the base URL); the longest prefix counts. The same in process and
 * over the network. Auth has the paths on which credentials pass, web the rest.
 */
export const prefixes: readonly { readonly path: string; readonly service: ServiceName }[] = [
  { path: "hub", service: "web" },
  { path: "hub/login", service: "auth" },
  { path: "hub/logout", service: "auth" },
  { path: "hub/oauth_login", service: "auth" },
  { path: "hub/oauth_callback", service: "auth" },
  { path: "hub/token", service: "auth" },
  { path: "hub/api/oauth2", service: "auth" },
  { path: "hub/api/authorizations", service: "auth" },
];
