import type { IncomingMessage, ServerResponse } from "node:http";
import type { ServiceName } from "@elara/contracts";
import type { Upstreams } from "@elara/runtime/http/upstreams";
import { endWithAnswer } from "@elara/runtime/telemetry/answer-span";
import { isQuiet } from "@elara/runtime/telemetry/quiet";
import { setTraceparent, traceparentOf } from "@elara/runtime/telemetry/trace-headers";
import { fromOutside, isTracing, tracerOf } from "@elara/runtime/telemetry/tracer";
import { stampClient } from "./client-address.ts";

const tracer = tracerOf("proxy");

/**
 * Hands a request to one of the hub's own services: who the client is is written into it, what the client says of
 * traces is taken out, and it begins a trace.
 */
export function toService(
  upstreams: Upstreams,
  service: ServiceName,
  request: IncomingMessage,
  response: ServerResponse,
  behindProxy: boolean,
): void {
  stampClient(request, behindProxy);
  const outside = traceparentOf(request);
  setTraceparent(request, "");
  if (!isTracing() || isQuiet(request.url ?? "")) {
    upstreams.forward(service, request, response);
    return;
  }
  const method = request.method ?? "GET";
  // The path is not told: people and their servers are named in it. The service behind names its route.
  const span = tracer.start(method, {
    ...fromOutside(outside),
    kind: "server",
    attributes: { "http.request.method": method },
  });
  endWithAnswer(span, response);
  tracer.run(span, () => upstreams.forward(service, request, response));
}
