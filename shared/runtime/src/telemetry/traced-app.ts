import type { ServiceName } from "@elara/contracts";
import type { FastifyInstance, FastifyRequest } from "fastify";
import { endWithAnswer } from "./answer-span.ts";
import { failureCode } from "./failure-code.ts";
import { isQuiet } from "./quiet.ts";
import { traceparentOf } from "./trace-headers.ts";
import { isTracing, type Span, tracerOf } from "./tracer.ts";

/** Makes each request a span named by its route, part of the trace that its header tells. */
export function traceRequests(app: FastifyInstance, service: ServiceName): void {
  if (!isTracing()) return;
  const tracer = tracerOf(service);
  const spans = new WeakMap<FastifyRequest, Span>();

  app.addHook("onRequest", (request, reply, done) => {
    const route = request.routeOptions.url;
    if (isQuiet(route ?? "")) return done();
    const { method } = request;
    const span = tracer.start(route === undefined ? method : `${method} ${route}`, {
      kind: "server",
      parent: traceparentOf(request.raw),
      attributes: {
        "http.request.method": method,
        "url.scheme": request.protocol,
        ...(route === undefined ? {} : { "http.route": route }),
      },
    });
    spans.set(request, span);
    endWithAnswer(span, reply.raw);
    tracer.run(span, done);
  });
  // The body was read in the context of the connection.
  app.addHook("preValidation", (request, _reply, done) => {
    const span = spans.get(request);
    if (span) tracer.run(span, done);
    else done();
  });
  app.addHook("onError", async (request, _reply, error) => {
    spans.get(request)?.set({ "error.type": failureCode(error) });
  });
}
