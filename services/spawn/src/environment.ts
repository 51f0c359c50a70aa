import type { HubConfig } from "@elara/runtime/config/hub";
import { escapeName } from "@elara/runtime/http/paths";

interface EnvironmentOf {
  readonly hub: HubConfig;
  readonly config: {
    readonly environment: Readonly<Record<string, string>>;
    readonly defaultUrl: string;
  };
  readonly server: {
    readonly userName: string;
    readonly name: string;
    readonly path: string;
    readonly apiUrl: string;
  };
  readonly token: string;
  readonly clientId: string;
  /** What the owner's log-in brings along. */
  readonly logIn: Readonly<Record<string, string>>;
}

/** A list as Python's json.dumps writes it: JupyterHub's own spelling. */
const pythonList = (items: readonly string[]): string =>
  `[${items.map((item) => JSON.stringify(item)).join(", ")}]`;

/**
 * The environment of a single-user server: all of the contract but `JUPYTERHUB_SERVICE_URL`, which the backend adds
 * once it knows host and port. What the administrator configured wins, then the hub's own, then what a log-in brings.
 */
export function environmentOf({
  hub,
  config,
  server,
  token,
  clientId,
  logIn,
}: EnvironmentOf): Record<string, string> {
  const env: Record<string, string> = { ...logIn };
  const access = pythonList([
    `access:servers!server=${server.userName}/${server.name}`,
    `access:servers!user=${server.userName}`,
  ]);
  const origin = hub.publicUrl;
  Object.assign(env, {
    JPY_API_TOKEN: token,
    JUPYTERHUB_ACTIVITY_URL: `${server.apiUrl}/users/${escapeName(server.userName)}/activity`,
    JUPYTERHUB_API_TOKEN: token,
    JUPYTERHUB_API_URL: server.apiUrl,
    JUPYTERHUB_BASE_URL: hub.baseUrl,
    JUPYTERHUB_CLIENT_ID: clientId,
    JUPYTERHUB_COOKIE_HOST_PREFIX_ENABLED: "0",
    JUPYTERHUB_HOST: origin,
    JUPYTERHUB_OAUTH_ACCESS_SCOPES: access,
    JUPYTERHUB_OAUTH_CALLBACK_URL: `${server.path}oauth_callback`,
    JUPYTERHUB_OAUTH_CLIENT_ALLOWED_SCOPES: "[]",
    JUPYTERHUB_OAUTH_SCOPES: access,
    JUPYTERHUB_PUBLIC_HUB_URL: origin === "" ? "" : `${origin}${hub.baseUrl}hub/`,
    JUPYTERHUB_PUBLIC_URL: origin === "" ? "" : `${origin}${server.path}`,
    JUPYTERHUB_SERVER_NAME: server.name,
    JUPYTERHUB_SERVICE_PREFIX: server.path,
    JUPYTERHUB_USER: server.userName,
  });
  if (config.defaultUrl !== "") env.JUPYTERHUB_DEFAULT_URL = config.defaultUrl;
  return { ...env, ...config.environment };
}
