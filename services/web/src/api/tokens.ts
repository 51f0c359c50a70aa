import type { FastifyInstance } from "fastify";
import type { WebDeps } from "../deps.ts";

/** Tokens are auth's: the request is passed on with its body unread, so that web never sees a password or a token. */
export function tokenRoutes(app: FastifyInstance, deps: WebDeps): void {
  for (const url of ["/users/:user/tokens", "/users/:user/tokens/:id"])
    app.route({
      method: ["GET", "POST", "DELETE"],
      url,
      // Auth's own guard decides.
      config: { access: { kind: "public" }, body: "unread" },
      handler: (request, reply) => {
        // Auth shows when tokens were last used.
        deps.activity.send();
        reply.hijack();
        deps.upstreams.forward("auth", request.raw, reply.raw);
      },
    });
}
