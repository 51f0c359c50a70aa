import { HubError } from "@elara/contracts";
import type { FastifyInstance } from "fastify";

/** Groups: none yet, so lists are empty and nobody is found. */
export function groupRoutes(app: FastifyInstance): void {
  app.get(
    "/groups",
    { config: { access: { kind: "scopes", anyOf: ["list:groups"], list: true } } },
    async () => [],
  );
  app.get<{ Params: { group: string } }>(
    "/groups/:group",
    {
      config: {
        access: {
          kind: "scopes",
          anyOf: ["read:groups", "read:groups:name", "read:roles:groups"],
          list: true,
        },
      },
    },
    async (request) => {
      throw new HubError("NOT_FOUND", { message: `No such group: ${request.params.group}` });
    },
  );
}
