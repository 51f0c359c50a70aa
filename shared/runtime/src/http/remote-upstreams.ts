import type { IncomingMessage, ServerResponse } from "node:http";
import { HubError, type Instance, type ServiceName } from "@elara/contracts";
import type { Logger } from "pino";
import type { Liveness } from "../liveness.ts";
import { within } from "../within.ts";
import type { Upstreams } from "./upstreams.ts";
import { answerFailure } from "./upstreams-failure.ts";
import { appendForwarded, endToEnd, seenOf, valuesOf } from "./upstreams-headers.ts";
import { type LegOptions, upstreamLeg } from "./upstreams-leg.ts";
import { parseTarget } from "./upstreams-target.ts";

export interface RemoteUpstreamsOptions extends LegOptions {
  readonly liveness: Pick<Liveness, "live" | "refresh">;
  readonly log: Logger;
}

/** An instance that refused goes to the end of the line for so long. */
const AVOID_MS = 2000;
/** While nobody is left for a request the rows are read for it, at most this often and for so long. */
const SEARCH_EVERY_MS = 250;
const SEARCH_MS = 1000;

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

  let search = { began: Number.NEGATIVE_INFINITY, done: Promise.resolve() };
  /** Reads who lives; those who ask while it runs, or soon after, share it. */
  function searched(): Promise<void> {
    const now = performance.now();
    if (now - search.began >= SEARCH_EVERY_MS) {
      const over = () => {};
      search = { began: now, done: within(SEARCH_MS, liveness.refresh()).then(over, over) };
    }
    return search.done;
  }

  /** Goes on with the first in line that this request has not tried; nothing of it is read before one takes it. */
  async function pass(
    service: ServiceName,
    request: IncomingMessage,
    response: ServerResponse,
    tried: readonly string[] = [],
  ): Promise<void> {
    const untried = () => inLine(service).find(({ address }) => !tried.includes(address));
    let next = untried();
    if (!next) {
      // Who has just come stands in no row that was read before.
      await searched();
      if (response.destroyed) return;
      next = untried();
    }
    const target = next && parseTarget(next.address);
    if (!next || !target) {
      answerFailure(request, response, new HubError("PROXY_NO_UPSTREAM", { detail: { service } }));
      return;
    }
    const { _id: instance, address } = next;
    leg.pass(target, request, response, {
      path: request.url ?? "/",
      headers: forwardedHeaders(request),
      refused(error) {
        log.warn({ service, instance, address, err: error }, "service refused the connection");
        avoided.set(address, performance.now() + AVOID_MS);
        if (!response.destroyed) void pass(service, request, response, [...tried, address]);
      },
      failed(error) {
        log.warn({ service, instance, address, err: error }, "service did not answer");
        answerFailure(
          request,
          response,
          new HubError("PROXY_NO_UPSTREAM", { detail: { service }, cause: error }),
        );
      },
    });
  }

  return {
    forward: (service, request, response) => void pass(service, request, response),
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
