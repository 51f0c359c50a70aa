import { parse } from "node:querystring";
import { HubError } from "@elara/contracts";
import type { FastifyInstance, FastifyRequest } from "fastify";
import type { Static, TSchema } from "typebox";
import { Check, Errors } from "typebox/value";
import type { HubConfig } from "../config/hub.ts";
import type { BodyKind } from "./access.ts";
import { isApiPath, pathOf } from "./paths.ts";

const MAX_BODY_BYTES = 1024 * 1024;

/** How the body of this request is to be read. */
export const bodyKindOf = (request: FastifyRequest, hub: HubConfig): BodyKind =>
  request.routeOptions.config.body ??
  (isApiPath(hub, request.routeOptions.url ?? pathOf(request.url)) ? "json" : "form");

/** Teaches the app to read bodies by route instead of by content type, which clients of JupyterHub set at will. */
export function readBodies(app: FastifyInstance, hub: HubConfig): void {
  app.removeAllContentTypeParsers();
  app.addContentTypeParser("*", (request, payload, done) => {
    const kind = request.is404 ? "unread" : bodyKindOf(request, hub);
    if (kind === "unread") return done(null, undefined);
    const limit = request.routeOptions.bodyLimit ?? MAX_BODY_BYTES;
    const chunks: Buffer[] = [];
    let size = 0;
    payload.on("data", (chunk: Buffer) => {
      size += chunk.length;
      if (size <= limit) chunks.push(chunk);
    });
    payload.on("error", () => done(new HubError("BAD_REQUEST")));
    payload.on("end", () => {
      if (size > limit) return done(new HubError("BODY_TOO_LARGE"));
      const text = Buffer.concat(chunks).toString("utf8");
      try {
        done(null, kind === "json" ? parseJson(text) : parse(text));
      } catch (error) {
        done(new HubError("BODY_INVALID", { cause: error }));
      }
    });
  });
}

function parseJson(text: string): unknown {
  if (text.trim() === "") return undefined;
  return JSON.parse(text, (key, value: unknown) => {
    // An own `__proto__` would become a prototype in the next copy.
    if (key === "__proto__") throw new SyntaxError("forbidden key");
    return value;
  });
}

/** The body as the schema says; an absent one counts as `{}`. Throws FIELD_INVALID naming the first wrong field. */
export const bodyOf = <S extends TSchema>(request: FastifyRequest, schema: S): Static<S> =>
  checked(request.body ?? {}, schema);

/** The query as the schema says (values are strings). Throws FIELD_INVALID naming the first wrong field. */
export const queryOf = <S extends TSchema>(request: FastifyRequest, schema: S): Static<S> =>
  checked(request.query, schema);

function checked<S extends TSchema>(value: unknown, schema: S): Static<S> {
  if (Check(schema, value)) return value;
  const [first] = Errors(schema, value);
  const field = first?.instancePath.slice(1).replaceAll("/", ".") || "body";
  throw new HubError("FIELD_INVALID", { message: `${field}: ${first?.message ?? "is wrong"}` });
}
