import type { ServiceName } from "@elara/contracts";
import type { ServiceDefinition } from "@elara/runtime/service";

const load = {
  auth: () => import("@elara/auth"),
  spawn: () => import("@elara/spawn"),
  web: () => import("@elara/web"),
  culler: () => import("@elara/culler"),
  proxy: () => import("@elara/proxy"),
} satisfies Record<ServiceName, () => Promise<{ default: ServiceDefinition }>>;

/** The services there are, in the order they start: the door last, so that an answer means all is up. */
export const serviceNames: readonly ServiceName[] = ["auth", "spawn", "web", "culler", "proxy"];

export const isServiceName = (name: string): name is ServiceName =>
  serviceNames.some((known) => known === name);

/** Loads the definitions of all services, in the order they start. */
export const loadServices = (): Promise<ServiceDefinition[]> =>
  Promise.all(serviceNames.map(async (name): Promise<ServiceDefinition> => (await load[name]()).default));
