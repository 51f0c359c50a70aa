import { type Static, Type } from "typebox";

/** What every service knows of the hub: the sections `hub` and `network` of the configuration, resolved. */
export const HubSection = Type.Object(
  {
    baseUrl: Type.String({
      default: "/",
      pattern: "^/([A-Za-z0-9_.~-]+/)*$",
      description: "Path the hub lives under, with slashes around: `/` or `/jupyter/`.",
    }),
    publicUrl: Type.String({
      default: "",
      pattern: "^(https?://[^/]+)?$",
      description: "Origin users see, e.g. `https://hub.example.org`; empty: taken from the request.",
    }),
    dataDir: Type.String({
      default: "./elara-data",
      description: "Folder for everything the hub keeps: database, keys, logs, run state of local servers.",
    }),
    namedServers: Type.Boolean({
      default: false,
      description: "Users may have servers besides their default one.",
    }),
    trial: Type.Boolean({
      default: false,
      description: "Trial mode: shows a banner. Set by `elara run` without a configuration.",
    }),
  },
  { additionalProperties: false, description: "The hub as a whole." },
);

export const NetworkSection = Type.Object(
  {
    host: Type.String({ default: "127.0.0.1", description: "Address of the public listener." }),
    port: Type.Integer({
      default: 8000,
      minimum: 0,
      maximum: 65535,
      description: "Port of the public listener.",
    }),
    internalHost: Type.String({
      default: "127.0.0.1",
      description: "Address of the internal listener, for servers on compute nodes.",
    }),
    internalPort: Type.Integer({
      default: 8081,
      minimum: 1,
      maximum: 65535,
      description:
        "Port of the internal listener; serves `/hub/api/*` only. Fixed, because running servers keep the URL they were given.",
    }),
    internalUrl: Type.String({
      default: "",
      description:
        "Origin at which servers reach the internal listener; empty: made of `internalHost` and `internalPort`.",
    }),
    serviceHost: Type.String({
      default: "127.0.0.1",
      description: "Address on which separate services listen for the proxy.",
    }),
    tls: Type.Optional(
      Type.Object(
        {
          certificate: Type.String({
            minLength: 1,
            description: "PEM file: the hub's certificate, then the intermediate ones.",
          }),
          key: Type.String({
            minLength: 1,
            description: "PEM file with its private key, not readable by everybody.",
          }),
        },
        {
          additionalProperties: false,
          description:
            "The public listener speaks HTTPS with these files; paths count from the configuration. Renewed files are taken up without a restart.",
        },
      ),
    ),
    redirectPort: Type.Integer({
      default: 0,
      minimum: 0,
      maximum: 65535,
      description: "With `tls`: a port that sends http to https, usually 80; 0: none.",
    }),
    hstsSeconds: Type.Integer({
      default: 15_552_000,
      minimum: 0,
      description:
        "With `tls` and an https `hub.publicUrl`: browsers are told for how long to reach this host over TLS only (every port of it); 0: not told.",
    }),
    behindProxy: Type.Boolean({
      default: false,
      description:
        "A TLS-terminating proxy stands in front; allows a public address without TLS, trusts its X-Forwarded headers.",
    }),
    insecure: Type.Boolean({
      default: false,
      description: "Allow a public address without TLS. Passwords travel in clear.",
    }),
  },
  { additionalProperties: false, description: "Where the hub listens." },
);

/** Resolved: `dataDir` absolute, `internalUrl` filled in. */
export type HubConfig = Static<typeof HubSection> & {
  network: Static<typeof NetworkSection>;
  hubId: string;
  /** `auth.contact`, for the pages of all services; absent: the administrators. */
  contact?: string;
};

/** Where a server reaches the hub's API: the internal listener, with the base URL. */
export const apiUrlOf = (hub: Pick<HubConfig, "network" | "baseUrl">): string =>
  `${hub.network.internalUrl.replace(/\/$/, "")}${hub.baseUrl}hub/api`;
