import type { Upstreams } from "../http/upstreams.ts";
import { endWithAnswer } from "./answer-span.ts";
import { setTraceparent } from "./trace-headers.ts";
import type { Tracer } from "./tracer.ts";

/** The other services as one service sees them: a request handed on is a span, and carries it. */
export function tracedUpstreams(upstreams: Upstreams, tracer: Tracer): Upstreams {
  return {
    forward(service, request, response) {
      const method = request.method ?? "GET";
      const span = tracer.start(method, {
        kind: "client",
        attributes: { "http.request.method": method, "service.peer.name": service },
      });
      setTraceparent(request, span.traceparent);
      endWithAnswer(span, response);
      upstreams.forward(service, request, response);
    },
    close: () => upstreams.close(),
  };
}
