import { STATUS_CODES } from "node:http";
import { renderPlainPage } from "@elara/runtime/pages/render";
import type { FastifyInstance } from "fastify";

const SENTENCES: Readonly<Record<number, string>> = {
  404: "There is nothing at this address.",
  503: "The server at this address does not answer. If it was stopped, start it again from the home page.",
};

/** `/hub/error/{code}`: the page a proxy shows for its own failures. It is always answered with 200 (contract §6). */
export function errorPage(app: FastifyInstance): void {
  app.get<{ Params: { code: string } }>(
    "/error/:code",
    { config: { access: { kind: "public" } } },
    async (request, reply) => {
      const code = Number.parseInt(request.params.code, 10);
      const status = STATUS_CODES[code] === undefined ? 500 : code;
      const message = SENTENCES[status] ?? STATUS_CODES[status] ?? "";
      return renderPlainPage(reply, "error", {
        title: STATUS_CODES[status] ?? "Error",
        error: { status, message, code: `HTTP_${status}`, requestId: request.id },
      });
    },
  );
}
