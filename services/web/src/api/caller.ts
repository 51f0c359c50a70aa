import { HubError } from "@elara/contracts";
import type { Identity } from "@elara/runtime/store/read/identity";
import type { FastifyRequest } from "fastify";

/** Who asks, on a route the guard has let through. */
export function callerOf(request: Pick<FastifyRequest, "identity">): Identity {
  if (!request.identity) throw new HubError("NO_CREDENTIALS");
  return request.identity;
}
