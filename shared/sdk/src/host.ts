/** A logger in pino's manner: facts as fields, a constant lower-case message. */
export interface Logger {
  debug(fields: object, message: string): void;
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}

/** What the hub lends a plugin for its lifetime. */
export interface PluginHost {
  readonly log: Logger;
  /** Folder of this plugin's own, mode 0700, made by the hub; survives restarts. Shared by replicas on one machine. */
  readonly dataDir: string;
  /** Id of the hub, part of every tag; two hubs on one backend never touch each other's servers. */
  readonly hubId: string;
  /** Milliseconds since the epoch; tests pass their own. */
  now(): number;
  /** Run when the hub stops or reloads the plugin. Servers are not to be touched. */
  onClose(close: () => void | Promise<void>): void;
}

/** What the hub lends an authenticator. */
export interface AuthenticatorHost extends PluginHost {
  /**
   * Paths at which the hub takes this entry's log-ins back from a provider: `/hub/oauth_callback/{name}`, and for the first
   * entry `/hub/oauth_callback` too. A callback address that an administrator configures must have one of them.
   */
  readonly callbackPaths: readonly [string, ...string[]];
  /** Origin at which people reach the hub (`hub.publicUrl`); "" where none is configured. */
  readonly publicUrl: string;
}

/** What the hub lends a spawner. */
export interface SpawnerHost extends PluginHost {
  /** The hub's API as configured for servers, `http://127.0.0.1:8081/hub/api` (JUPYTERHUB_API_URL). */
  readonly apiUrl: string;
  /** Address the hub's internal listener is bound to; `0.0.0.0`: all addresses of its machine. */
  readonly internalHost: string;
}
