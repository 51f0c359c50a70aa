import { HubError } from "@elara/contracts";
import { hubPath } from "@elara/runtime/http/paths";
import type { IdentityReader } from "@elara/runtime/store/read/identity";
import type { FastifyInstance } from "fastify";
import { textOf } from "../fields.ts";
import type { Ground } from "../ground.ts";

/** `GET /hub/api/authorizations/token/:token`, deprecated: whose token it is. For whoever has a token. */
export function authorizationRoutes(app: FastifyInstance, { hub }: Ground, identities: IdentityReader): void {
  app.get(
    `${hubPath(hub)}api/authorizations/token/:token`,
    { config: { access: { kind: "user" } } },
    async (request) => {
      const owner = await identities.byToken(textOf(request.params, "token") ?? "");
      if (!owner) throw new HubError("NOT_FOUND");
      const { kind, name, admin, groups, roles } = owner;
      return kind === "user" ? { kind, name, admin, groups, roles } : { kind, name, admin, roles };
    },
  );
}
