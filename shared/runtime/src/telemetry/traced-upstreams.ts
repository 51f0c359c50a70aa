import type { Upstreams } from "../http/upstreams.ts";
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
      response.once("close", () => {
        span.set({ "http.response.status_code": response.statusCode });
        if (response.statusCode >= 500) span.fail(String(response.statusCode));
        else if (!response.writableFinished) span.fail("aborted");
        span.end();
      });
      upstreams.forward(service, request, response);
    },
    close: () => upstreams.close(),
  };
}
