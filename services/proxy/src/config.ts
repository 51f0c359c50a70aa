import { type Static, Type } from "typebox";

/** The proxy's section of the configuration. Addresses and ports stand in `network`, all services know those. */
export const ProxySection = Type.Object(
  {
    certificate: Type.String({
      default: "",
      description: "PEM file with certificate chain for the public listener; empty: no TLS here.",
    }),
    certificateKey: Type.String({ default: "", description: "PEM file with the certificate's private key." }),
    trafficReportSeconds: Type.Number({
      default: 5,
      minimum: 0.1,
      description: "How often traffic seen is reported for `last_activity` and the culler.",
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
