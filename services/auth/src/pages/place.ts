import type { HubConfig } from "@elara/runtime/config/hub";
import { safeNext } from "@elara/runtime/http/next-url";
import { callbackPaths, hubPath, originOf } from "@elara/runtime/http/paths";
import { ACTIVE_PHASES, serverByName } from "@elara/runtime/store/read/servers";
import type { FastifyRequest } from "fastify";
import { textOf } from "../fields.ts";
import type { Ground } from "../ground.ts";

/** Where this log-in shall end, if the browser said so and it is a place of this hub. */
export const nextOf = (request: FastifyRequest, hub: HubConfig): string | undefined =>
  safeNext(textOf(request.query, "next"), { origin: originOf(request, hub), baseUrl: hub.baseUrl });

/** Where people land without a wish: their server when it is up or on its way, else the page that starts it. */
export async function landing({ hub, store }: Ground, userId: string): Promise<string> {
  const server = await serverByName(store, userId, "");
  return server && ACTIVE_PHASES.includes(server.phase) ? server.path : `${hubPath(hub)}spawn`;
}

/** `/hub/oauth_callback/{name}` as browsers reach it. */
export const callbackUrl = (request: FastifyRequest, hub: HubConfig, name: string): string =>
  `${originOf(request, hub)}${callbackPaths(hub, name, false)[0]}`;
