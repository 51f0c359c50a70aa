import { HubError, JUPYTERHUB_VERSION, type ServiceName } from "@elara/contracts";
import cookie from "@fastify/cookie";
import Fastify, {
  type FastifyBaseLogger,
  type FastifyInstance,
  type FastifyRequest,
  LogController,
} from "fastify";
import type { Logger } from "pino";
import { type Clock, systemClock } from "../clock.ts";
import type { HubConfig } from "../config/hub.ts";
import { newId } from "../id.ts";
import type { Keys } from "../keys.ts";
import { observe } from "../metrics/meter.ts";
import { type Pages, pages } from "../pages/render.ts";
import type { IdentityReader } from "../store/read/identity.ts";
import { traceRequests } from "../telemetry/traced-app.ts";
import "./access.ts";
import { readBodies } from "./body.ts";
import { replyWithError } from "./error-reply.ts";
import { guard } from "./guard.ts";
import { methodTable } from "./method-table.ts";
import { isApiPath, pathOf } from "./paths.ts";
import { MAX_HEAD_BYTES } from "./upstreams-leg.ts";
import { type Xsrf, xsrf } from "./xsrf.ts";

declare module "fastify" {
  interface FastifyInstance {
    readonly hub: HubConfig;
    readonly xsrf: Xsrf;
    readonly pages: Pages;
  }
}

export interface AppOptions {
  readonly service: ServiceName;
  readonly hub: HubConfig;
  readonly log: Logger;
  readonly keys: Keys;
  /** Without it nobody is ever identified: for services whose routes are public or internal. */
  readonly identities?: IdentityReader;
  readonly clock?: Clock;
  /** Folder of the service's own templates; the layout and the error page come from the runtime. */
  readonly templates?: string;
}

/** What the proxy takes must not be refused behind it, with all that it says of client and trace. */
const WRITTEN_BY_PROXY_BYTES = 8 * 1024;

const API_HEADERS = {
  "Access-Control-Allow-Headers": "accept, content-type, authorization",
  "Cache-Control": "no-store",
};

/**
 * The HTTP side of a service, the same for all. Works behind a listener and by `app.routing(request, response)` after
 * `await app.ready()`. Every route declares `config.access`; registering one without throws.
 */
export function createApp({
  service,
  hub,
  log,
  keys,
  identities,
  clock = systemClock,
  templates,
}: AppOptions): FastifyInstance {
  const loggerInstance: FastifyBaseLogger = log;
  const app: FastifyInstance = Fastify({
    loggerInstance,
    logController: new LogController({ disableRequestLogging: true, requestIdLogLabel: "requestId" }),
    genReqId: () => newId().slice(0, 16),
    trustProxy: (_address, hop) => hop < trustedHops(),
    routerOptions: { maxParamLength: 1024 },
    exposeHeadRoutes: false,
    http: { maxHeaderSize: MAX_HEAD_BYTES + WRITTEN_BY_PROXY_BYTES },
    forceCloseConnections: true,
    frameworkErrors: (error, request, reply) => {
      // Broken addresses never reach the hooks and decorators below.
      Object.assign(request, { identity: undefined, identify: async () => undefined });
      reply.headers(headersFor(request));
      void replyWithError(error, request, reply, { hub, log });
    },
  });
  // A service with a listener of its own stands behind the hub's proxy; one without is called by it in process.
  const trustedHops = (): number => (app.server.listening ? 1 : 0) + (hub.network.behindProxy ? 1 : 0);

  const isApi = (url: string): boolean => isApiPath(hub, pathOf(url));
  const headersFor = (request: FastifyRequest): Record<string, string> => ({
    "X-JupyterHub-Version": JUPYTERHUB_VERSION,
    "X-Request-Id": request.id,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    // Pages set their own policy when they are rendered.
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    ...(isApi(request.url) ? API_HEADERS : {}),
  });

  const tokens = xsrf({ keys, hub, clock });
  app.decorate("hub", hub);
  app.decorate("xsrf", tokens);
  app.decorate("pages", pages(templates));
  app.decorate("defaultAccess", undefined);
  void app.register(cookie);
  readBodies(app, hub);

  traceRequests(app, service);
  const methods = methodTable();
  app.addHook("onRoute", function (this: FastifyInstance, route) {
    const access = route.config?.access ?? this.defaultAccess;
    if (!access) throw new Error(`${service}: route ${route.url} declares no access`);
    route.config = { ...route.config, access };
    methods.add(route.url, [route.method].flat());
  });

  app.addHook("onRequest", async (request, reply) => {
    reply.headers(headersFor(request));
    // A catch-all for pages does not answer for the API.
    if (!request.is404 && isApi(request.url) && !isApi(request.routeOptions.url ?? ""))
      return reply.callNotFound();
  });
  guard(app, { hub, identities, xsrf: tokens });
  app.addHook("onResponse", async (request, reply) => {
    const handler = request.routeOptions.url ?? "not found";
    const code = String(reply.statusCode);
    observe("request_duration_seconds", reply.elapsedTime / 1000, { method: request.method, handler, code });
    // The query may carry codes and tokens, so the path alone is logged.
    log.debug(
      {
        requestId: request.id,
        method: request.method,
        path: pathOf(request.url),
        status: reply.statusCode,
        ms: Math.round(reply.elapsedTime),
      },
      "request answered",
    );
  });

  app.setErrorHandler((error, request, reply) => replyWithError(error, request, reply, { hub, log }));
  app.setNotFoundHandler((request, reply) => {
    const path = pathOf(request.url);
    if (request.method === "OPTIONS" && isApi(path)) return reply.send("");
    const allowed = methods.methodsFor(path, (pattern) => isApi(pattern) === isApi(path));
    // A handler that found nothing comes here too: the method was right then, the thing is not there.
    if (allowed.length === 0 || allowed.includes(request.method)) throw new HubError("NOT_FOUND");
    reply.header("Allow", allowed.join(", "));
    throw new HubError("METHOD_NOT_ALLOWED");
  });
  return app;
}

/** Sets the access of all routes in this scope that declare none; for plugins that register routes themselves. */
export function setDefaultAccess(scope: FastifyInstance, access: FastifyInstance["defaultAccess"]): void {
  scope.defaultAccess = access;
}
