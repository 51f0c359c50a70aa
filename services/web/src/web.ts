import { fileURLToPath } from "node:url";
import { createApp } from "@elara/runtime/http/app";
import { defineService } from "@elara/runtime/service";
import { identityReader } from "@elara/runtime/store/read/identity";
import { ActivityFold } from "./activity/activity-fold.ts";
import { noteUse } from "./activity/note-use.ts";
import { activityRoutes } from "./api/activity.ts";
import { eventRoutes } from "./api/events.ts";
import { groupRoutes } from "./api/groups.ts";
import { healthRoutes } from "./api/health.ts";
import { metricsRoutes } from "./api/metrics.ts";
import { profileRoutes } from "./api/profiles.ts";
import { progressRoutes } from "./api/progress.ts";
import { proxyRoutes } from "./api/proxy.ts";
import { rootRoutes } from "./api/root.ts";
import { serverRoutes } from "./api/servers.ts";
import { serviceRoutes } from "./api/services.ts";
import { tokenRoutes } from "./api/tokens.ts";
import { userRoutes } from "./api/user.ts";
import { usersRoutes } from "./api/users.ts";
import { WebConfig } from "./config.ts";
import type { WebDeps } from "./deps.ts";
import { hastenRevocation } from "./live/hasten-revocation.ts";
import { OpenStreams } from "./live/open-streams.ts";
import { routeWatch } from "./live/route-watch.ts";
import { ServerSignals } from "./live/server-signals.ts";
import { adminPage } from "./pages/admin.ts";
import { cspReport } from "./pages/csp-report.ts";
import { errorPage } from "./pages/error-page.ts";
import { homePage } from "./pages/home.ts";
import { landingPage } from "./pages/landing.ts";
import { outsidePaths } from "./pages/outside.ts";
import { spawnPage } from "./pages/spawn.ts";
import { spawnPendingPage } from "./pages/spawn-pending.ts";
import { staticFiles } from "./pages/static-files.ts";
import { stopForm } from "./pages/stop.ts";
import { userPathPages } from "./pages/user-path.ts";
import { userRedirectPage } from "./pages/user-redirect.ts";
import { readsOf } from "./reads.ts";

const TEMPLATES = fileURLToPath(new URL("../templates/", import.meta.url));

/** Web: the REST API and the pages. No state in the process but what was seen a moment ago. */
export const web = defineService({
  name: "web",
  config: WebConfig,
  async start(context) {
    const { hub, config, bus, store, clock, log, keys, upstreams, liveness } = context;
    const identities = identityReader({ store, clock, log });
    const app = createApp({ service: "web", hub, log, keys, identities, clock, templates: TEMPLATES });
    const activity = new ActivityFold(bus, clock);
    const deps: WebDeps = {
      hub,
      config,
      bus,
      identities,
      reads: readsOf(store, activity),
      activity,
      signals: new ServerSignals(bus),
      routes: routeWatch({ liveness, clock }),
      streams: new OpenStreams(config),
      upstreams,
      log,
      clock,
      plugins: {
        authenticator: context.plugins.authenticators.map(({ name }) => name).join(", "),
        spawner: context.plugins.spawners.map(({ name }) => name).join(", "),
      },
    };
    noteUse(app, deps);
    const revocation = hastenRevocation(bus, identities, log);
    void app.register(async (api) => registerApi(api, deps), { prefix: `${hub.baseUrl}hub/api` });
    void app.register(async (pages) => registerPages(pages, deps), { prefix: `${hub.baseUrl}hub` });
    const metrics = metricsRoutes(app, context);
    healthRoutes(app, [`${hub.baseUrl}hub/health`, `${hub.baseUrl}hub/api/health`]);
    staticFiles(app, `${hub.baseUrl}hub/`);
    outsidePaths(app, deps);
    return {
      app,
      async close() {
        deps.streams.close();
        await Promise.all([deps.signals.close(), revocation.close(), metrics.close()]);
        await app.close();
        await activity.close();
        await identities.close();
      },
    };
  },
});

function registerApi(api: Parameters<typeof rootRoutes>[0], deps: WebDeps): void {
  rootRoutes(api, deps);
  userRoutes(api, deps);
  usersRoutes(api, deps);
  activityRoutes(api, deps);
  serverRoutes(api, deps);
  profileRoutes(api, deps);
  progressRoutes(api, deps);
  tokenRoutes(api, deps);
  eventRoutes(api, deps);
  proxyRoutes(api, deps);
  groupRoutes(api);
  serviceRoutes(api);
}

function registerPages(pages: Parameters<typeof landingPage>[0], deps: WebDeps): void {
  landingPage(pages, deps);
  homePage(pages, deps);
  spawnPage(pages, deps);
  spawnPendingPage(pages, deps);
  stopForm(pages, deps);
  userPathPages(pages, deps);
  userRedirectPage(pages, deps);
  adminPage(pages, deps);
  errorPage(pages);
  cspReport(pages);
}
