import type { LastTimes, ServerModel } from "@elara/contracts";
import { escapeName } from "@elara/runtime/http/paths";
import type { PublishedServer } from "@elara/runtime/store/read/servers";
import { apiTime, latest } from "./api-time.ts";
import { serverState } from "./server-state.ts";

/** What the models need to know of the hub. */
export interface ModelHub {
  readonly baseUrl: string;
  /** Origin users see, "" when it follows the request. */
  readonly publicUrl: string;
}

/** API path of a server: `/hub/api/users/ada/server`, `/hub/api/users/ada/servers/lab2`. */
export const serverApiPath = (baseUrl: string, userName: string, serverName: string): string =>
  `${baseUrl}hub/api/users/${escapeName(userName)}/${serverName === "" ? "server" : `servers/${escapeName(serverName)}`}`;

/** When the server was last used: traffic, its own reports, its start and its stop. */
export const serverLastActivity = (server: PublishedServer, times: LastTimes | undefined): string =>
  latest(times?.traffic, times?.report, server.requestedAt, server.stoppedAt);

/** JupyterHub's server model (contract §1.5). `state` only for holders of admin:server_state. */
export function serverModel(
  server: PublishedServer,
  hub: ModelHub,
  shown: { readonly times: LastTimes | undefined; readonly withState: boolean },
): ServerModel {
  const { pending, ready, active } = serverState(server);
  const progressUrl = `${serverApiPath(hub.baseUrl, server.userName, server.name)}/progress`;
  return {
    name: server.name,
    display_name: server.displayName,
    full_name: `${server.userName}/${server.name}`,
    last_activity: apiTime(serverLastActivity(server, shown.times)),
    started: active ? apiTime(server.requestedAt) : null,
    pending,
    ready,
    stopped: !active,
    url: server.path,
    user_options: userOptions(server),
    progress_url: progressUrl,
    full_url: hub.publicUrl === "" ? null : hub.publicUrl + server.path,
    full_progress_url: hub.publicUrl === "" ? null : hub.publicUrl + progressUrl,
    reason: server.reason || null,
    ends_at: active ? apiTime(server.endsAt) : null,
    ...(shown.withState ? { state: server.handle } : {}),
  };
}

/** What was chosen, with the profile where one was named, so that a client can send it again as it is. */
const userOptions = ({ profile, profileAsked, options }: PublishedServer): Record<string, unknown> =>
  profileAsked ? { profile, ...options } : options;
