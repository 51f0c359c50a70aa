import { type Static, Type } from "typebox";

/** The proxy's section of the configuration. Addresses and ports stand in `network`, all services know those. */
export const ProxySection = Type.Object(
  {
    trafficReportSeconds: Type.Number({
      default: 5,
      minimum: 0.1,
      description: "How often traffic seen is reported for `last_activity` and the culler.",
    }),
    certificateSeconds: Type.Number({
      default: 10,
      minimum: 0.1,
      maximum: 86_400,
      description: "How often the files of `network.tls` are looked at; a renewed pair is taken up.",
    }),
    connectSeconds: Type.Number({
      default: 5,
      minimum: 0.1,
      description: "A server that does not accept a connection in this time counts as not reachable.",
    }),
    closeSeconds: Type.Number({
      default: 3,
      minimum: 0,
      maximum: 9,
      description: "At the end, requests and WebSockets under way are given this long.",
    }),
  },
  { additionalProperties: false, description: "The door: public and internal listener, routing." },
);
export type ProxyConfig = Static<typeof ProxySection>;
