import { observe } from "@elara/runtime/metrics/meter";
import type { FastifyInstance } from "fastify";

/** Where browsers report what the content security policy stopped. Anybody may send it, so it is only for debugging. */
export function cspReport(app: FastifyInstance): void {
  app.post(
    "/security/csp-report",
    { config: { access: { kind: "public" }, body: "json" }, bodyLimit: 16 * 1024 },
    async (request, reply) => {
      observe("csp_reports", 1);
      request.log.debug({ report: request.body }, "content security policy report");
      return reply.send("");
    },
  );
}
