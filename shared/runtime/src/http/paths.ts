import type { FastifyRequest } from "fastify";
import type { HubConfig } from "../config/hub.ts";

/** `/hub/` with the base URL in front. */
export const hubPath = (hub: Pick<HubConfig, "baseUrl">): string => `${hub.baseUrl}hub/`;

/** Where an authenticator's log-ins come back from a provider; what has no name is the first one's. */
export const callbackPaths = (
  hub: Pick<HubConfig, "baseUrl">,
  name: string,
  isFirst: boolean,
): [string, ...string[]] => {
  const nameless = `${hubPath(hub)}oauth_callback`;
  return [`${nameless}/${encodeURIComponent(name)}`, ...(isFirst ? [nameless] : [])];
};

/** Whether the path (no query) belongs to the REST API. */
export function isApiPath(hub: Pick<HubConfig, "baseUrl">, path: string): boolean {
  const api = `${hub.baseUrl}hub/api`;
  return path === api || path.startsWith(`${api}/`);
}

/** The path of a request, without the query. */
export const pathOf = (url: string): string => url.split("?", 1)[0] ?? "";

/** Origin the browser sees: the configured one, else what the request says. */
export const originOf = (
  request: Pick<FastifyRequest, "protocol" | "host">,
  hub: Pick<HubConfig, "publicUrl">,
): string => hub.publicUrl || `${request.protocol}://${request.host}`;

/** A name as one segment of a path, escaped as JupyterHub does it: `@` and `~` stay. */
export const escapeName = (name: string): string =>
  encodeURIComponent(name)
    .replaceAll("%40", "@")
    .replace(/[!'()*]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`);
