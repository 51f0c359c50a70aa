import type { TObject, TSchema } from "typebox";
import { Type } from "typebox";
import type { ServiceDefinition } from "../service.ts";
import { HubSection, NetworkSection } from "./hub.ts";
import { isSecretSchema, SecretRef } from "./secret.ts";
import { TelemetrySection } from "./telemetry.ts";

const closed = { additionalProperties: false } as const;

export const BusSection = Type.Object(
  {
    use: Type.Union([Type.Literal("memory"), Type.Literal("nats")], {
      default: "memory",
      description: "`memory`: everything in one process. `nats`: services as processes of their own.",
    }),
    servers: Type.Array(Type.String(), {
      default: ["127.0.0.1:4222"],
      description: "NATS servers, host:port.",
    }),
    accounts: Type.Boolean({
      default: true,
      description:
        "The hub comes with nkeys of its own, to servers configured by `elara nats config`. `false`: a plain server; then whoever reaches its port may give orders, and subscribers from outside have only `GET /hub/api/events`.",
    }),
    tls: Type.Optional(
      Type.Object(
        {
          ca: Type.Optional(
            Type.String({
              minLength: 1,
              description:
                "PEM file: whom the servers' certificates are signed by, or the certificates themselves; it counts from the configuration. Left out: those the machine trusts.",
            }),
          ),
        },
        {
          ...closed,
          description:
            "NATS is spoken over TLS only; without it what passes between machines is in clear. The servers' side: `elara nats config --tls-certificate … --tls-key …`.",
        },
      ),
    ),
  },
  { ...closed, description: "The message bus." },
);

export const StoreSection = Type.Object(
  {
    use: Type.Union([Type.Literal("sqlite"), Type.Literal("mongo")], {
      default: "sqlite",
      description: "`sqlite`: embedded, one process. `mongo`: MongoDB, any number of processes.",
    }),
    file: Type.String({
      default: "",
      description: "SQLite file; empty: `hub.sqlite` in the data directory.",
    }),
    uri: Type.String({
      default: "",
      secret: true,
      description: "MongoDB URI, as `{ env }` or `{ file }`; may hold a password.",
    }),
    database: Type.String({ default: "elara", description: "MongoDB database." }),
  },
  { ...closed, description: "Where state is kept." },
);

export const SecretsSection = Type.Object(
  {
    cookieSecret: Type.String({
      default: "",
      secret: true,
      description:
        "At least 32 bytes; cookies, forms and tags are signed with keys made of it. Default: `cookie_secret` in the data directory, made 0600 at the first start.",
    }),
    cryptKey: Type.String({
      default: "",
      secret: true,
      description:
        "What authenticators keep of a log-in is encrypted with it. 32 bytes as hex, base64 or raw; several, separated by `;`: the first encrypts, all decrypt, and what an older one encrypted is encrypted anew. Default: the environment's JUPYTERHUB_CRYPT_KEY, else `crypt_key` in the data directory, made 0600 at the first start.",
    }),
  },
  { ...closed, description: "The hub's keys, the same for all its processes." },
);

export const LogSection = Type.Object(
  {
    level: Type.Union(
      [Type.Literal("debug"), Type.Literal("info"), Type.Literal("warn"), Type.Literal("error")],
      { default: "info", description: "The least that is logged." },
    ),
    format: Type.Union([Type.Literal("auto"), Type.Literal("json"), Type.Literal("pretty")], {
      default: "auto",
      description: "`json` for machines, `pretty` for people, `auto`: pretty on a terminal.",
    }),
  },
  { ...closed, description: "The log, on standard error." },
);

const clock = (name: string) =>
  Type.Optional(
    Type.Number({
      minimum: 0.1,
      maximum: 86_400,
      description: `In place of \`spawn.${name}\`. Absent: that, where it is changed from its default; else the plugin's own, where it has one.`,
    }),
  );

export const PluginEntry = Type.Object(
  {
    use: Type.String({
      minLength: 1,
      description:
        "A built-in (`pam`, `local`), a package, or the path of a `.ts` file, relative to the configuration.",
    }),
    name: Type.Optional(
      Type.String({
        pattern: "^[a-z][a-z0-9-]{0,30}$",
        description: "Name in the ledger and in URLs; default: the plugin's own.",
      }),
    ),
    options: Type.Optional(
      Type.Record(Type.String(), Type.Unknown(), { description: "The plugin's options; `{}` when absent." }),
    ),
  },
  closed,
);

const entryNames = (description: string) =>
  Type.Optional(Type.Array(Type.String({ minLength: 1 }), { description }));

/** A way to log in, and who may take it. */
export const AuthenticatorEntry = Type.Object(
  {
    ...PluginEntry.properties,
    label: Type.Optional(
      Type.String({
        minLength: 1,
        maxLength: 60,
        description: "Words of its button, `Sign in with {label}`; default: the plugin's own.",
      }),
    ),
    allowAll: Type.Optional(
      Type.Boolean({
        description:
          "Let in everybody whom this authenticator knows. Where this or one of the two below is written, none of `auth.allowAll`, `auth.allowedUsers`, `auth.adminUsers` holds for people of this entry; `auth.blockedUsers` always does.",
      }),
    ),
    allowedUsers: entryNames("Names that may log in by this authenticator."),
    adminUsers: entryNames("Names that may log in by this authenticator and administer the hub."),
  },
  closed,
);

/** A place where servers run: a spawner, and what differs there from the section `spawn`. */
export const SpawnerEntry = Type.Object(
  {
    ...PluginEntry.properties,
    command: Type.Optional(
      Type.Array(Type.String({ minLength: 1 }), {
        minItems: 1,
        description:
          "Program that is a user's server here, with its first arguments; default: `spawn.command`.",
      }),
    ),
    environment: Type.Optional(
      Type.Record(Type.String(), Type.String(), {
        description: "Environment of every server here; laid over `spawn.environment`.",
      }),
    ),
    clocks: Type.Optional(
      Type.Object(
        {
          submitSeconds: clock("submitSeconds"),
          bootSeconds: clock("bootSeconds"),
          httpSeconds: clock("httpSeconds"),
          stopSeconds: clock("stopSeconds"),
          graceSeconds: clock("graceSeconds"),
        },
        { ...closed, description: "Clocks of servers here." },
      ),
    ),
  },
  closed,
);

/** The hub's own sections and one per service: the whole of `elara.config.ts`, but for the options of plugins. */
export function configSchema(services: readonly ServiceDefinition[]): TObject {
  const sections: Record<string, TSchema> = {
    hub: HubSection,
    network: NetworkSection,
    bus: BusSection,
    store: StoreSection,
    secrets: SecretsSection,
    log: LogSection,
    telemetry: TelemetrySection,
    authenticators: Type.Array(AuthenticatorEntry, {
      default: [],
      description: "Who lets users in, in the order of the login page.",
    }),
    spawners: Type.Array(SpawnerEntry, { default: [{ use: "local" }], description: "Where servers run." }),
  };
  for (const service of services) sections[service.name] = service.config;
  return Type.Object(sections, closed);
}

/** The schema an administrator's text is held against: sections optional, secrets as references. */
export function writtenSchema(schema: TSchema): TSchema {
  if (isSecretSchema(schema)) return Type.Union(SecretRef.anyOf, { secret: true });
  if (isList(schema)) return { ...schema, items: writtenSchema(schema.items) };
  if (!isSection(schema)) return schema;
  const properties: Record<string, TSchema> = {};
  for (const [key, property] of Object.entries(schema.properties)) {
    const written = writtenSchema(property);
    const optional = "default" in property || isSection(property) || !(schema.required ?? []).includes(key);
    properties[key] = optional ? Type.Optional(written) : written;
  }
  return Type.Object(properties, closed);
}

interface Section extends TSchema {
  type: "object";
  properties: Record<string, TSchema>;
  required?: string[];
}

/** An object with named properties, in contrast to a record. */
export const isSection = (schema: TSchema): schema is Section =>
  "properties" in schema && typeof schema.properties === "object" && schema.properties !== null;

interface List extends TSchema {
  type: "array";
  items: TSchema;
}

/** A list whose entries have a schema. */
export const isList = (schema: TSchema): schema is List =>
  "items" in schema && typeof schema.items === "object" && !Array.isArray(schema.items);
