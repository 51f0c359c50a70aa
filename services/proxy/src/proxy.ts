import { RouteAdded, RouteRemoved } from "@elara/contracts";
import { upstreamLeg } from "@elara/runtime/http/upstreams-leg";
import { defineService } from "@elara/runtime/service";
import { routeReader } from "@elara/runtime/store/read/routes";
import Fastify from "fastify";
import { trafficActivity } from "./activity.ts";
import { ProxySection } from "./config.ts";
import { publicDoor } from "./door.ts";
import { internalDoor } from "./internal-door.ts";
import { addressOf, closed, endServer, listenAt, listening } from "./listen.ts";
import { refusePublicAddress } from "./public-address.ts";
import { type RouteEntry, routeBook } from "./route-book.ts";
import { type RouteRefresh, startRouteRefresh } from "./route-refresh.ts";
import { doorServer, readCertificate, refuseBroken } from "./server.ts";
import { webSockets } from "./websockets.ts";

/** The door: public and internal listener, routes, forwarding, activity. */
export default defineService({
  name: "proxy",
  config: ProxySection,
  async start({ instance, row, config, hub, bus, store, log, clock, upstreams }) {
    const { network, baseUrl } = hub;
    const certificate = readCertificate(config.certificate, config.certificateKey);
    refusePublicAddress(network, certificate !== undefined);

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

    const app = Fastify({
      logger: false,
      clientErrorHandler: refuseBroken,
      serverFactory: (own) =>
        doorServer(publicDoor({ leg, book, activity, sockets, upstreams, hub, log, own }), certificate),
    });
    app.get("/_chp_healthz", async () => ({ status: "OK" }));
    const inner = doorServer(internalDoor({ hub, book, upstreams }));
    inner.on("clientError", refuseBroken);

    let refresh: RouteRefresh | undefined;
    const graceMs = config.closeSeconds * 1000;
    const close = async (): Promise<void> => {
      refresh?.close();
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
      ]);
      activity.close();
      leg.close();
    };
    const outer = { host: network.host, port: network.port, key: "network.port" };
    const internal = { host: network.internalHost, port: network.internalPort, key: "network.internalPort" };
    try {
      await listenAt(internal, () => listening(inner, internal));
      await listenAt(outer, () => app.listen({ host: outer.host, port: outer.port }));
    } catch (error) {
      await close();
      throw error;
    }
    refresh = startRouteRefresh({ book, reader, bus, row, clock, log });
    const addresses = {
      public: addressOf(app.server, network.host, certificate ? "https" : "http"),
      internal: addressOf(inner, network.internalHost, "http"),
    };
    log.info(addresses, "proxy listens");
    return { listening: addresses, close };
  },
});
