import { fileURLToPath } from "node:url";
import { setDefaultAccess } from "@elara/runtime/http/app";
import { PAGE_STATIC_DIR } from "@elara/runtime/pages/render";
import fastifyStatic from "@fastify/static";
import type { FastifyInstance } from "fastify";

const OWN_FILES = fileURLToPath(new URL("../../static/", import.meta.url));
const PICO = fileURLToPath(new URL("./", import.meta.resolve("@picocss/pico/css/pico.min.css")));

/** `/hub/static/*` and `/hub/logo`: style sheets, scripts and pictures, as they lie in the folders, without a build. */
export function staticFiles(app: FastifyInstance, prefix: string): void {
  void app.register(async (scope) => {
    setDefaultAccess(scope, { kind: "public" });
    await scope.register(fastifyStatic, {
      root: [OWN_FILES, PAGE_STATIC_DIR, PICO],
      prefix: `${prefix}static/`,
      index: false,
      maxAge: "1h",
    });
    // The plugin fails on the folder itself when it looks in several.
    scope.get(`${prefix}static/`, (_request, reply) => reply.callNotFound());
    scope.get(`${prefix}logo`, (_request, reply) => reply.sendFile("favicon.svg"));
  });
}
