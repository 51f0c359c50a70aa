import { withSubscopes } from "@elara/runtime/scopes/hierarchy";
import type { FastifyInstance } from "fastify";
import type { WebDeps } from "../deps.ts";
import { eventQuery } from "../events/event-query.ts";
import { eventStream } from "../events/event-stream.ts";
import { lines, serverSent } from "../events/formats.ts";
import { openReader } from "../events/reader.ts";
import { callerOf } from "./caller.ts";

const SCOPES = [...withSubscopes("read:events")];

/**
 * `GET /events`: what happens, as CloudEvents that the caller's scopes allow. `type`, `user` choose, `after` or
 * `Last-Event-ID` resumes. Server-sent events, or a line each for `Accept: application/x-ndjson`.
 */
export function eventRoutes(app: FastifyInstance, deps: WebDeps): void {
  app.get(
    "/events",
    { config: { access: { kind: "scopes", anyOf: SCOPES, list: true } } },
    async (request, reply) => {
      const identity = callerOf(request);
      const header = request.headers["last-event-id"];
      const query = eventQuery(request.query, typeof header === "string" ? header : undefined);
      const isLines = (request.headers.accept ?? "").includes(lines.contentType);
      const format = isLines ? lines : serverSent;
      const leave = deps.streams.enter(identity.userId || `service:${identity.name}`);
      try {
        const reader = await openReader(deps, identity, query);
        const { bus, log, streams } = deps;
        const stream = await eventStream({ bus, reader, query, format, log, ending: streams.signal });
        stream.once("close", leave);
        return await reply
          .header("cache-control", "no-cache")
          .header("x-accel-buffering", "no")
          .type(format.contentType)
          .send(stream);
      } catch (error) {
        leave();
        throw error;
      }
    },
  );
}
