export { type Static, Type } from "typebox";
export {
  type AuthenticatedUser,
  type Authenticator,
  type AuthPlugin,
  authPlugin,
  type BeginRequest,
  type FinishRequest,
  type LoginField,
  type LoginStart,
} from "./authenticator.ts";
export { PluginError, type PluginErrorEntry, type PluginErrors } from "./errors.ts";
export type { Logger, PluginHost } from "./host.ts";
export {
  type Observation,
  type Row,
  type RowState,
  type Spawner,
  type SpawnerPlugin,
  type SpawnRequest,
  type StartCall,
  spawnerPlugin,
} from "./spawner.ts";
