import type { IncomingMessage, ServerResponse } from "node:http";
import { HubError, type Instance, type ServiceName } from "@elara/contracts";
import type { Logger } from "pino";
import type { Liveness } from "../liveness.ts";
import type { Upstreams } from "./upstreams.ts";
import { answerFailure } from "./upstreams-failure.ts";
import { appendForwarded, endToEnd, seenOf, valuesOf } from "./upstreams-headers.ts";
import { type LegOptions, upstreamLeg } from "./upstreams-leg.ts";
import { parseTarget } from "./upstreams-target.ts";

export interface RemoteUpstreamsOptions extends LegOptions {
  readonly liveness: Pick<Liveness, "live">;
  readonly log: Logger;
}

/** An instance that refused goes to the end of the line for so long. */
const AVOID_MS = 2000;

/** Sends requests to living instances over HTTP, in turn; one that refuses the connection is passed over. */
export function remoteUpstreams({ liveness, log, ...options }: RemoteUpstreamsOptions): Upstreams {
  const leg = upstreamLeg(options);
  const avoided = new Map<string, number>();
  let turn = 0;

  function inLine(service: ServiceName): Instance[] {
    const living = liveness.live(service).filter((instance) => instance.address !== "");
    const start = living.length === 0 ? 0 : turn++ % living.length;
    const now = performance.now();
    const isAvoided = (instance: Instance) => now < (avoided.get(instance.address) ?? 0);
    return [...living.slice(start), ...living.slice(0, start)].sort(
      (a, b) => Number(isAvoided(a)) - Number(isAvoided(b)),
    );
  }

  function attempt(
    service: ServiceName,
    line: Instance[],
    request: IncomingMessage,
    response: ServerResponse,
  ): void {
    const [next, ...rest] = line;
    const target = next && parseTarget(next.address);
    if (!next || !target) {
      answerFailure(request, response, new HubError("PROXY_NO_UPSTREAM", { detail: { service } }));
      return;
    }
    leg.pass(target, request, response, {
      path: request.url ?? "/",
      headers: forwardedHeaders(request),
      refused(error) {
        log.warn(
          { service, instance: next._id, address: next.address, err: error },
          "service refused the connection",
        );
        avoided.set(next.address, performance.now() + AVOID_MS);
        if (!response.destroyed) attempt(service, rest, request, response);
      },
      failed(error) {
        log.warn(
          { service, instance: next._id, address: next.address, err: error },
          "service did not answer",
        );
        answerFailure(
          request,
          response,
          new HubError("PROXY_NO_UPSTREAM", { detail: { service }, cause: error }),
        );
      },
    });
  }

  return {
    forward(service, request, response) {
      attempt(service, inLine(service), request, response);
    },
    async close() {
      leg.close();
    },
  };
}

/** The proxy has said who the client is; a service that passes on must not say it is the client. */
function forwardedHeaders(request: IncomingMessage): string[] {
  const headers = endToEnd(request.rawHeaders);
  return valuesOf(headers, "x-forwarded-for").length > 0
    ? headers
    : appendForwarded(headers, seenOf(request));
}
