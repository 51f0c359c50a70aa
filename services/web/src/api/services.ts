import { HubError } from "@elara/contracts";
import type { FastifyInstance } from "fastify";

/** Services: none yet, so the list is empty and nothing is found. */
export function serviceRoutes(app: FastifyInstance): void {
  app.get(
    "/services",
    { config: { access: { kind: "scopes", anyOf: ["list:services"], list: true } } },
    async () => ({}),
  );
  app.get<{ Params: { service: string } }>(
    "/services/:service",
    {
      config: {
        access: {
          kind: "scopes",
          anyOf: ["read:services", "read:services:name", "read:roles:services"],
          list: true,
        },
      },
    },
    async (request) => {
      throw new HubError("NOT_FOUND", { message: `No such service: ${request.params.service}` });
    },
  );
}
