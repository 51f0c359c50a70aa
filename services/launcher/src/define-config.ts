import type { HubSection, NetworkSection } from "@elara/runtime/config/hub";
import type {
  AuthenticatorEntry,
  BusSection,
  LogSection,
  SecretsSection,
  SpawnerEntry,
  StoreSection,
} from "@elara/runtime/config/schema";
import type { SecretRef } from "@elara/runtime/config/secret";
import type { TelemetryConfig } from "@elara/runtime/config/telemetry";
import type { Static } from "typebox";
import type { ServicesConfig } from "./services-config.ts";

type Secret<S> = { [K in keyof S]?: SecretRef };

/** What an administrator writes: every section and every key is optional; secrets are references. */
export interface HubConfiguration extends ServicesConfig {
  readonly hub?: Partial<Static<typeof HubSection>>;
  readonly network?: Partial<Static<typeof NetworkSection>>;
  readonly bus?: Partial<Static<typeof BusSection>>;
  readonly store?: Partial<Omit<Static<typeof StoreSection>, "uri">> & { readonly uri?: SecretRef };
  readonly secrets?: Secret<Static<typeof SecretsSection>>;
  readonly log?: Partial<Static<typeof LogSection>>;
  readonly telemetry?: Partial<Omit<TelemetryConfig, "headers">> & {
    readonly headers?: readonly { readonly name: string; readonly value: SecretRef }[];
  };
  /** A name or path alone is short for `{ use }`. */
  readonly authenticators?: readonly (string | Static<typeof AuthenticatorEntry>)[];
  readonly spawners?: readonly (string | Static<typeof SpawnerEntry>)[];
}

/** Types a configuration; returns it as it is. */
export const defineConfig = (configuration: HubConfiguration): HubConfiguration => configuration;
