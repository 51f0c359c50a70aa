export { type Static, Type } from "typebox";
export { isAccount } from "./account.ts";
export type { AuthState } from "./auth-state.ts";
export {
  type AuthenticatedUser,
  type Authenticator,
  type AuthPlugin,
  authPlugin,
  type BeginRequest,
  type FinishRequest,
  type KeptLogin,
  type LoginField,
  type LoginStart,
  MAX_AUTH_STATE_BYTES,
  MAX_PRE_SPAWN_CHARS,
} from "./authenticator.ts";
export { PluginError, type PluginErrorEntry, type PluginErrorOptions, type PluginErrors } from "./errors.ts";
export { foreignHandle } from "./foreign-handle.ts";
export type { AuthenticatorHost, Logger, PluginHost, SpawnerHost } from "./host.ts";
export { httpUrl } from "./http-url.ts";
export { type HubProbe, hubProbe } from "./hub-probe.ts";
export { isLoopback } from "./loopback.ts";
export { hashPassword, isPassword, PASSWORD_PATTERN } from "./password.ts";
export { patience } from "./patience.ts";
export { type PortRange, portRange, portRangeFault } from "./port-range.ts";
export { serverVariableFault } from "./server-variable.ts";
export {
  type FieldKeywords,
  type Observation,
  type Row,
  type RowState,
  type ServerKey,
  type Spawner,
  type SpawnerPlugin,
  type SpawnRequest,
  type StartCall,
  type StoredServer,
  spawnerPlugin,
} from "./spawner.ts";
export { type Wrapping, wrapSpawner } from "./wrap-spawner.ts";
