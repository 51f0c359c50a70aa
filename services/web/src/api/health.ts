import type { FastifyInstance } from "fastify";

/** Says that this process answers; asks neither bus nor store, so that a hub whose database is away is not restarted. */
export function healthRoutes(app: FastifyInstance, paths: readonly string[]): void {
  for (const url of paths)
    app.route({
      method: ["GET", "HEAD"],
      url,
      config: { access: { kind: "public" } },
      handler: async (_request, reply) => reply.send(""),
    });
}
