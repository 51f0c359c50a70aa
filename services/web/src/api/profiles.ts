import type { ProfileModel } from "@elara/contracts";
import type { PublishedProfile } from "@elara/runtime/store/read/profiles";
import type { FastifyInstance, FastifyRequest } from "fastify";
import type { WebDeps } from "../deps.ts";
import { callerOf } from "./caller.ts";

/** `GET /profiles`: what the caller may choose for a start, as the spawn form shows it. Not of JupyterHub. */
export function profileRoutes(app: FastifyInstance, deps: WebDeps): void {
  const access = {
    kind: "scopes",
    anyOf: ["read:users", "read:servers", "start:servers"],
    resource: self,
  } as const;
  app.get("/profiles", { config: { access } }, async (request): Promise<ProfileModel[]> => {
    const { kind, name, admin } = callerOf(request);
    // A service is nobody whom a profile could name.
    const offered = await deps.reads.profilesFor({ name: kind === "user" ? name : "", admin });
    return offered.map(profileModel);
  });
}

const self = ({ identity }: FastifyRequest) => ({ user: identity?.name ?? "" });

const profileModel = ({ _id, title, description, backend, fields }: PublishedProfile): ProfileModel => ({
  slug: _id,
  title,
  description,
  backend,
  fields: fields.map(({ name, title, description, schema }) => ({ name, title, description, schema })),
});
