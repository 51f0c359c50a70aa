import type { ServiceName } from "@elara/contracts";
import type { AuthPlugin, SpawnerPlugin } from "@elara/sdk";
import type { FastifyInstance } from "fastify";
import type { Logger } from "pino";
import type { Static, TObject } from "typebox";
import type { EventGate } from "./bus/accounts/event-gate.ts";
import type { Bus } from "./bus/bus.ts";
import type { Clock } from "./clock.ts";
import type { Fault } from "./config/faults.ts";
import type { HubConfig } from "./config/hub.ts";
import type { Upstreams } from "./http/upstreams.ts";
import type { InstanceRow } from "./instances.ts";
import type { Keys } from "./keys.ts";
import type { Liveness } from "./liveness.ts";
import type { Store } from "./store/store.ts";

/** Who this process is on the bus and in the store. */
export interface InstanceId {
  /** Opaque, new for every start of a process and service. */
  readonly id: string;
  readonly epoch: number;
}

/** A plugin with the options an administrator gave it. */
export interface Configured<P> {
  /** Name it is known by in the ledger and in URLs; default: the plugin's own name. */
  readonly name: string;
  readonly plugin: P;
  readonly options: Record<string, unknown>;
}

/** An authenticator with the allow rules of its own entry; where it has none, those of the section `auth` hold. */
export interface ConfiguredAuthenticator extends Configured<AuthPlugin> {
  /** Words of its button; default: the plugin's. */
  readonly label?: string;
  readonly allowAll?: boolean;
  readonly allowedUsers?: readonly string[];
  readonly adminUsers?: readonly string[];
}

/** A spawner with what an administrator said of the servers there; what is absent is as the section `spawn` says. */
export interface ConfiguredSpawner extends Configured<SpawnerPlugin> {
  readonly command?: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  readonly clocks?: Readonly<
    Partial<Record<"submitSeconds" | "bootSeconds" | "httpSeconds" | "stopSeconds" | "graceSeconds", number>>
  >;
}

/** All that a service gets; nothing is global. */
export interface ServiceContext<Config = unknown> {
  readonly instance: InstanceId;
  readonly service: ServiceName;
  /** This service's row in `instances`, kept up by the launcher: beat, fence, `set({ routesUpTo })`. */
  readonly row: InstanceRow;
  /** Who else is alive; one per process, made by the launcher. */
  readonly liveness: Liveness;
  /** The service's own section, validated, defaults filled in. */
  readonly config: Config;
  /** What all services know of the hub. */
  readonly hub: HubConfig;
  readonly keys: Keys;
  readonly bus: Bus;
  /** Where subscribers come to the bus from outside; auth only, absent on the memory bus and on a plain nats-server. */
  readonly gate?: EventGate;
  readonly store: Store;
  readonly log: Logger;
  readonly clock: Clock;
  /** The other services, as HTTP handlers: in process, or over the network by their `instances` rows. */
  readonly upstreams: Upstreams;
  readonly plugins: {
    readonly authenticators: readonly ConfiguredAuthenticator[];
    readonly spawners: readonly ConfiguredSpawner[];
  };
}

/** A service that runs. */
export interface RunningService {
  /** Its HTTP side, without a listener; the launcher listens, or hands it to the proxy in process. */
  readonly app?: FastifyInstance;
  /** The proxy only, which opens its listeners itself: their origins. */
  readonly listening?: { readonly public: string; readonly internal: string };
  /** Stops taking work and ends: driven servers are handed over, notebooks are not touched. Within 10 s. */
  close(): Promise<void>;
}

export interface ServiceDefinition<C extends TObject = TObject> {
  readonly name: ServiceName;
  /** Schema of its section of the configuration, with defaults and descriptions: CONFIG.md is generated from it. */
  readonly config: C;
  /**
   * What its schema cannot say: names of spawners and their options, `slugs` of the profiles there are. Paths count from
   * the section; nothing starts with a fault.
   */
  faults?(config: Static<C>, spawners: readonly ConfiguredSpawner[], slugs: readonly string[]): Fault[];
  start(context: ServiceContext<Static<C>>): Promise<RunningService>;
}

/** Declares a service. One folder, one process; the launcher starts it. */
export const defineService = <C extends TObject>(definition: ServiceDefinition<C>): ServiceDefinition<C> =>
  definition;
