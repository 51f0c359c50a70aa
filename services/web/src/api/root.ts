import { ELARA_VERSION, JUPYTERHUB_VERSION } from "@elara/contracts";
import type { FastifyInstance } from "fastify";
import type { WebDeps } from "../deps.ts";

const open = { config: { access: { kind: "public" } as const } };

/** Version and information about the hub. */
export function rootRoutes(app: FastifyInstance, deps: WebDeps): void {
  // With and without the slash: single-user servers ask for exactly `/hub/api`.
  app.get("/", open, async (_request, reply) => {
    reply.header("Access-Control-Allow-Origin", "*");
    return { version: JUPYTERHUB_VERSION };
  });

  app.get("/info", { config: { access: { kind: "scopes", anyOf: ["read:hub"] } } }, async () => ({
    version: JUPYTERHUB_VERSION,
    python: `Elara ${ELARA_VERSION} on Node.js ${process.version}`,
    sys_executable: process.execPath,
    spawner: { class: deps.plugins.spawner, version: ELARA_VERSION },
    authenticator: { class: deps.plugins.authenticator, version: ELARA_VERSION },
  }));
}
