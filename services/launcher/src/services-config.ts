import type auth from "@elara/auth";
import type culler from "@elara/culler";
import type proxy from "@elara/proxy";
import type { ServiceDefinition } from "@elara/runtime/service";
import type spawn from "@elara/spawn";
import type web from "@elara/web";
import type { Static } from "typebox";

type Section<D> = D extends ServiceDefinition<infer C> ? Partial<Static<C>> : never;

/** The sections of the services, each typed by the service's own schema. */
export interface ServicesConfig {
  readonly auth?: Section<typeof auth>;
  readonly spawn?: Section<typeof spawn>;
  readonly proxy?: Section<typeof proxy>;
  readonly culler?: Section<typeof culler>;
  readonly web?: Section<typeof web>;
}
