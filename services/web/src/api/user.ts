import { codeOf } from "@elara/contracts";
import type { Identity } from "@elara/runtime/store/read/identity";
import type { FastifyInstance } from "fastify";
import type { WebDeps } from "../deps.ts";
import { serviceModel } from "../models/service-model.ts";
import { userModel } from "../models/user-model.ts";
import { callerOf } from "./caller.ts";

/** `GET /user`: who the credentials belong to and what they may do. Single-user servers ask it for every new token. */
export function userRoutes(app: FastifyInstance, deps: WebDeps): void {
  app.get("/user", { config: { access: { kind: "user" } } }, async (request) => {
    const identity = callerOf(request);
    const model = seesMore(identity) ? await ownModel(identity) : undefined;
    return {
      ...(model ?? modelOfIdentity(identity)),
      token_id: identity.tokenId,
      session_id: identity.via === "token" ? identity.sessionId : null,
      scopes: identity.scopes.list(),
    };
  });

  /** Undefined while the store is away: then the identity, known from memory, says enough to let a user in. */
  async function ownModel(identity: Identity) {
    try {
      const user = await deps.reads.userByName(identity.name);
      if (!user) return undefined;
      const servers = await deps.reads.serversOfUser(user._id);
      const times = await deps.reads.times(user._id);
      return userModel({ user, servers, times }, identity.scopes, deps.hub, { always: IDENTITY_FIELDS });
    } catch (error) {
      if (codeOf(error) === "STORE_AWAY") return undefined;
      throw error;
    }
  }
}

/** Scopes that show more than the identity itself knows; tokens of single-user servers hold none, and cost no reading. */
const MORE = ["read:users", "read:users:activity", "read:servers", "read:roles:users"] as const;

const seesMore = ({ kind, scopes }: Identity): boolean =>
  kind === "user" && MORE.some((scope) => scopes.has(scope));

/** Every credential may read this much of its owner. */
const IDENTITY_FIELDS = ["admin", "groups", "user_info"];

const modelOfIdentity = ({ kind, name, admin, groups, scopes }: Identity) =>
  kind === "user" ? { kind, name, admin, groups, user_info: null } : serviceModel(name, scopes);
