import type { FastifyRequest } from "fastify";
import type { Resource } from "../scopes/filter.ts";
import type { Scope } from "../scopes/hierarchy.ts";
import type { Identity } from "../store/read/identity.ts";

/** Who may call a route. Every route declares it as `config.access`; one without is refused at registration. */
export type Access =
  /** Anybody; nobody is identified (`request.identify()` does it on demand), the store is not asked. */
  | { readonly kind: "public" }
  /** Whoever shows a valid token or login cookie. */
  | { readonly kind: "user" }
  /**
   * Whoever holds one of the scopes for the resource. Without `resource`: unfiltered, unless `list` is set, which lets
   * filtered holders in; the route then filters its result.
   */
  | {
      readonly kind: "scopes";
      readonly anyOf: readonly Scope[];
      readonly resource?: (request: FastifyRequest) => Resource;
      readonly list?: true;
    }
  /** A page: login cookie only, GET without one is sent to the login page. Optionally with scopes; `tokens` lets tokens in too. */
  | {
      readonly kind: "page";
      readonly anyOf?: readonly Scope[];
      readonly resource?: (request: FastifyRequest) => Resource;
      readonly tokens?: true;
    };

/** How a request's body is read: JSON (whatever the content type says), form fields, or not at all. */
export type BodyKind = "json" | "form" | "unread";

declare module "fastify" {
  interface FastifyContextConfig {
    access?: Access;
    /** Default: `json` under `/hub/api`, `form` elsewhere. `unread` leaves the stream for `upstreams.forward`. */
    body?: BodyKind;
    /** Serve this writing route with an identity from memory while the store is away (activity reports). */
    duringOutage?: "serve";
  }
  interface FastifyRequest {
    /** Who asks. Set by the guard for every access but `public`. */
    identity: Identity | undefined;
    /** Who asks, on a public route; asks the store once. Never throws for bad credentials. */
    identify(): Promise<Identity | undefined>;
  }
  interface FastifyInstance {
    /** Access for routes of this scope that declare none, for plugins that register routes of their own. */
    defaultAccess: Access | undefined;
  }
}
