import { portRange, Type } from "@elara/sdk";
import type { Static } from "typebox";

const Names = (description: string, byDefault: string[] = []) =>
  Type.Array(Type.String({ minLength: 1 }), { default: byDefault, perStart: true, description });
const Words = (description: string) =>
  Type.Record(Type.String(), Type.String(), { default: {}, perStart: true, description });

/** Options of the docker spawner. */
export const options = Type.Object(
  {
    engine: Type.String({
      default: "",
      pattern: "^((unix|tcp|https)://.+)?$",
      description:
        "Where the engine listens: `unix:///run/docker.sock`, `tcp://host:2375`, `https://host:2376`. Empty: DOCKER_HOST, else its usual socket.",
    }),
    tlsDir: Type.String({
      default: "",
      description: "Folder with `ca.pem`, `cert.pem` and `key.pem` for an engine over https.",
    }),
    images: Type.Array(Type.String({ minLength: 1 }), {
      minItems: 1,
      description: "Images that may be used, with their tags. The first one is used when nothing is chosen.",
    }),
    image: Type.String({
      default: "",
      title: "Image",
      userChoice: true,
      description: "The image of the session, one of `images`.",
    }),
    pull: Type.Union([Type.Literal("missing"), Type.Literal("always"), Type.Literal("never")], {
      default: "missing",
      perStart: true,
      description: "When an image is fetched from its registry.",
    }),
    network: Type.String({
      default: "bridge",
      minLength: 1,
      description: "Network of the containers; `host`: that of the engine's machine.",
    }),
    publish: Type.String({
      default: "",
      pattern: "^[0-9.]*$",
      perStart: true,
      description:
        "Address of the engine's machine on which each server gets a port, e.g. `127.0.0.1`. Empty: the hub reaches containers by their own addresses.",
    }),
    portRange: portRange({
      perStart: true,
      description:
        "First and last port for servers. Each start has another one, because the next container may get the address of one that ended. With the network `host` on the engine's machine: keep it below the range for outgoing connections (32768 and up).",
    }),
    port: Type.Integer({
      default: 0,
      minimum: 0,
      maximum: 65535,
      perStart: true,
      description:
        "One port for all servers, where an image needs it. 0: of `portRange`. With one port, requests of one user, with their cookies, can reach another one's server in the seconds after a container was killed.",
    }),
    apiUrl: Type.String({
      default: "",
      pattern: "^(https?://.+)?$",
      description:
        "The hub's API as containers reach it. Empty: follows from `network` and `network.internalHost`.",
    }),
    memory: Type.String({
      default: "",
      pattern: "^(\\d+(\\.\\d+)?[KMGT]?)?$",
      maxLength: 20,
      title: "Memory",
      userChoice: "named",
      description: "Memory a session may use, e.g. `512M` or `4G`; more ends it. Empty: no limit.",
    }),
    cpus: Type.Number({
      default: 0,
      minimum: 0,
      maximum: 1_000_000,
      title: "Processors",
      userChoice: "named",
      description: "Processors a session may use, e.g. 1.5. 0: no limit.",
    }),
    volumes: Type.Array(
      Type.Object(
        {
          source: Type.String({
            minLength: 1,
            description:
              "A folder of the engine's machine (begins with /) or the name of a volume. `{username}` and `{servername}` are encoded.",
          }),
          target: Type.String({ pattern: "^/", description: "Where the container has it." }),
          readOnly: Type.Boolean({ default: false }),
        },
        { additionalProperties: false },
      ),
      { default: [], perStart: true, description: "Storage that outlives containers." },
    ),
    environment: Words("Environment of the containers; what the hub sets wins."),
    labels: Words("More labels for the containers."),
    capDrop: Names("Linux capabilities taken away.", ["ALL"]),
    capAdd: Names("Linux capabilities given nevertheless."),
    noNewPrivileges: Type.Boolean({
      default: true,
      perStart: true,
      description: "Programs cannot gain rights, e.g. by sudo.",
    }),
    readOnly: Type.Boolean({
      default: false,
      perStart: true,
      description:
        "The image's own files cannot be changed; /tmp is then in memory. Homes need a volume or `tmpfs`.",
    }),
    tmpfs: Words("Folders in memory, with their mount options: `{ '/home/jovyan': 'uid=1000' }`."),
    pidsLimit: Type.Integer({
      default: 4096,
      minimum: 0,
      perStart: true,
      description: "Processes and threads a session may have. 0: no limit.",
    }),
    logSize: Type.String({
      default: "1m",
      pattern: "^(\\d+[kmg])?$",
      perStart: true,
      description: "Bound of what is kept of a server's output, twice. Empty: as the engine is configured.",
    }),
    init: Type.Boolean({
      default: true,
      perStart: true,
      description: "The engine's own init program reaps processes and hands signals on.",
    }),
    remove: Type.Boolean({
      default: true,
      description: "Remove containers that have ended. False: keep them for a look.",
    }),
  },
  { additionalProperties: false, description: "Servers as containers of Docker or an engine with its API." },
);
export type Options = Static<typeof options>;
