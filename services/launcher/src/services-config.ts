import type auth from "@elara/auth";
import type culler from "@elara/culler";
import type proxy from "@elara/proxy";
import type { SecretRef } from "@elara/runtime/config/secret";
import type { ServiceDefinition } from "@elara/runtime/service";
import type spawn from "@elara/spawn";
import type web from "@elara/web";
import type { Static } from "typebox";

type Section<D> = D extends ServiceDefinition<infer C> ? Partial<Static<C>> : never;

type AuthSection = Section<typeof auth>;
type ServiceEntry = NonNullable<AuthSection["services"]>[number];
/** As written: the token a reference, scopes where there are any. */
type WrittenService = Pick<ServiceEntry, "name"> &
  Partial<Pick<ServiceEntry, "scopes">> & { readonly token: SecretRef };

/** The sections of the services, each typed by the service's own schema. */
export interface ServicesConfig {
  readonly auth?: Omit<AuthSection, "services"> & { readonly services?: readonly WrittenService[] };
  readonly spawn?: Section<typeof spawn>;
  readonly proxy?: Section<typeof proxy>;
  readonly culler?: Section<typeof culler>;
  readonly web?: Section<typeof web>;
}
