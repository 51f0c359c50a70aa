import { Server } from "node:https";
import { RouteAdded, RouteRemoved } from "@elara/contracts";
import { upstreamLeg } from "@elara/runtime/http/upstreams-leg";
import { defineService } from "@elara/runtime/service";
import { routeReader } from "@elara/runtime/store/read/routes";
import Fastify from "fastify";
import { trafficActivity } from "./activity.ts";
import { readCertificate } from "./certificate.ts";
import { type CertificateWatch, watchCertificate } from "./certificate-watch.ts";
import { ProxySection } from "./config.ts";
import { publicDoor } from "./door.ts";
import { withHsts } from "./hsts.ts";
import { internalDoor } from "./internal-door.ts";
import { addressOf, closed, endServer, listenAt, listening, portOf } from "./listen.ts";
import { withProof } from "./proof.ts";
import { refusePublicAddress } from "./public-address.ts";
import { redirectDoor } from "./redirect-door.ts";
import { type RouteEntry, routeBook } from "./route-book.ts";
import { type RouteRefresh, startRouteRefresh } from "./route-refresh.ts";
import { doorServer, refuseBroken } from "./server.ts";
import { webSockets } from "./websockets.ts";

/** The door: public and internal listener, routes, forwarding, activity. */
export default defineService({
  name: "proxy",
  config: ProxySection,
  async start({ instance, row, config, hub, keys, bus, store, log, clock, upstreams }) {
    const { network, baseUrl } = hub;
    const { tls } = network;
    refusePublicAddress(network, tls !== undefined);
    // Behind a proxy the certificate is between the two; its name is theirs to choose.
    const publicUrl = network.behindProxy ? "" : hub.publicUrl;
    const certificate = tls && readCertificate(tls, { now: clock.now(), publicUrl });
    const hsts = { seconds: hub.publicUrl.startsWith("https:") && tls ? network.hstsSeconds : 0, baseUrl };

    const tell = (entry: RouteEntry, what: "added" | "removed") => {
      // Filling is no news: a notice for each route at every start would be a storm.
      if (!refresh?.isFilled) return;
      const { path, userId, id } = entry;
      const serverId = entry.kind === "server" ? id : "";
      const contract = what === "added" ? RouteAdded : RouteRemoved;
      bus.notify(contract, { path, proxy: instance.id, userId, serverId }, { userId, objectId: serverId });
    };
    const reader = routeReader(store);
    const book = routeBook({ reader, baseUrl, clock, log, listener: tell });
    const connectMs = config.connectSeconds * 1000;
    const leg = upstreamLeg({ connectMs });
    const sockets = webSockets(connectMs);
    const activity = trafficActivity({ bus, clock, everyMs: config.trafficReportSeconds * 1000 });

    const doorKey = keys.derive("door");
    const app = Fastify({
      logger: false,
      clientErrorHandler: refuseBroken,
      serverFactory: (own) =>
        doorServer(
          withProof(
            withHsts(publicDoor({ leg, book, activity, sockets, upstreams, hub, log, own }), hsts),
            doorKey,
          ),
          certificate,
        ),
    });
    app.get("/_chp_healthz", async () => ({ status: "OK" }));
    const inner = doorServer(withProof(internalDoor({ hub, book, upstreams }), doorKey));
    inner.on("clientError", refuseBroken);
    const redirecting = doorServer(
      withProof(redirectDoor({ publicUrl: hub.publicUrl, tlsPort: () => portOf(app.server) }), doorKey),
    );
    redirecting.on("clientError", refuseBroken);

    let refresh: RouteRefresh | undefined;
    const graceMs = config.closeSeconds * 1000;
    let watch: CertificateWatch | undefined;
    const close = async (): Promise<void> => {
      refresh?.close();
      watch?.close();
      await Promise.all([
        endServer(
          app.server,
          () => app.close(),
          graceMs,
          () => sockets.destroy(),
        ),
        endServer(
          inner,
          () => closed(inner),
          graceMs,
          () => {},
        ),
        endServer(
          redirecting,
          () => closed(redirecting),
          graceMs,
          () => {},
        ),
      ]);
      activity.close();
      leg.close();
    };
    const outer = { host: network.host, port: network.port, key: "network.port" };
    const internal = { host: network.internalHost, port: network.internalPort, key: "network.internalPort" };
    try {
      await listenAt(internal, () => listening(inner, internal));
      await listenAt(outer, () => app.listen({ host: outer.host, port: outer.port }));
      if (tls && network.redirectPort > 0) {
        const redirect = { host: network.host, port: network.redirectPort, key: "network.redirectPort" };
        await listenAt(redirect, () => listening(redirecting, redirect));
      }
    } catch (error) {
      await close();
      throw error;
    }
    if (tls && certificate && app.server instanceof Server)
      watch = watchCertificate({
        files: tls,
        inUse: certificate,
        server: app.server,
        publicUrl,
        clock,
        log,
        everyMs: config.certificateSeconds * 1000,
      });
    refresh = startRouteRefresh({ book, reader, bus, row, clock, log });
    const addresses = {
      public: addressOf(app.server, network.host, certificate ? "https" : "http"),
      internal: addressOf(inner, network.internalHost, "http"),
    };
    log.info(addresses, "proxy listens");
    return { listening: addresses, close };
  },
});
