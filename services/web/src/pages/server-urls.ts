import { withNext } from "@elara/runtime/http/next-url";
import { escapeName } from "@elara/runtime/http/paths";

/** Path segments of a user's server: `ada`, `ada/lab2`. */
const segments = (userName: string, serverName: string): string =>
  `${escapeName(userName)}${serverName === "" ? "" : `/${escapeName(serverName)}`}`;

/** Addresses of the pages around one server. */
export interface ServerUrls {
  readonly spawn: string;
  readonly pending: string;
  readonly stop: string;
}

/** The pages of a server, each keeping where to go afterwards. */
export function serverUrls(baseUrl: string, userName: string, serverName: string, next?: string): ServerUrls {
  const at = (page: string): string =>
    withNext(`${baseUrl}hub/${page}/${segments(userName, serverName)}`, next);
  return { spawn: at("spawn"), pending: at("spawn-pending"), stop: at("stop") };
}
