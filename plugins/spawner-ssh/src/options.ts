import { portRange, Type } from "@elara/sdk";
import { sshOptions } from "@elara/ssh";
import type { Static } from "typebox";

/** The choice that leaves it to the hub. */
export const ANY = "any";

/** Options of the ssh spawner. */
export const options = Type.Object(
  {
    hosts: Type.Array(
      Type.Object(
        {
          name: Type.String({
            default: "",
            pattern: "^([A-Za-z0-9_][A-Za-z0-9_.:-]*)?$",
            description: "What users and records call it; must stay the same. Empty: `host`.",
          }),
          host: Type.String({ minLength: 1, description: "Name or address, of one machine." }),
          port: Type.Integer({ default: 22, minimum: 1, maximum: 65535 }),
          bind: Type.String({
            default: "",
            pattern: "^[0-9a-fA-F.:]*$",
            description:
              "Address servers listen on there. Empty: `host` where that is an address, else 0.0.0.0.",
          }),
        },
        { additionalProperties: false },
      ),
      { minItems: 1, description: "Machines that servers run on." },
    ),
    host: Type.String({
      default: ANY,
      minLength: 1,
      title: "Where",
      userChoice: true,
      description: "The machine, by its name in `hosts`; `any`: the hub spreads servers over all.",
    }),
    account: Type.String({
      default: "{username}",
      minLength: 1,
      description: "Account on the machine; `{username}` is the user's name. root is refused.",
    }),
    minUid: Type.Integer({
      default: 1000,
      minimum: 1,
      description: "Accounts with a lower uid are refused, by a look at the machine.",
    }),
    checkAccount: Type.String({
      default: "",
      description:
        "Account that `elara check` tries a whole way with. Empty: it sees that hosts answer with their right keys.",
    }),
    ssh: sshOptions,
    connect: Type.Union([Type.Literal("direct"), Type.Literal("forward")], {
      default: "direct",
      description:
        "`direct`: the hub reaches the servers' ports itself. `forward`: servers listen on 127.0.0.1 there, ssh carries to them.",
    }),
    forwardHost: Type.String({
      default: "127.0.0.1",
      pattern: "^[0-9a-fA-F.:]+$",
      description:
        "With `forward`: address of the hub's machine on which forwards listen; the proxies must reach it.",
    }),
    runDir: Type.String({
      default: "~/.local/share/elara/run",
      pattern: "^(~/|/).",
      description:
        "Folder for records of running servers; below it each host has its own. `~/` is the account's home, `{username}` the account. Its file system must keep locks (flock).",
    }),
    python: Type.String({
      default: "python3",
      minLength: 1,
      description: "Python 3.9 or newer there, for the launcher (not the servers).",
    }),
    path: Type.String({
      default: "/usr/local/bin:/usr/bin:/bin",
      description:
        "PATH of servers. Nothing else of the account's log-in environment is taken over; more by `environment` of the spawner.",
    }),
    portRange: portRange(),
    apiUrl: Type.String({
      default: "",
      pattern: "^(https?://.+)?$",
      description: "The hub's API as these machines reach it. Empty: as configured in `network`.",
    }),
    commandSeconds: Type.Number({
      default: 20,
      exclusiveMinimum: 0,
      description: "How long one command on a machine may take, log-in included.",
    }),
    logBytes: Type.Integer({
      default: 1_048_576,
      minimum: 4096,
      description: "Bound of what is kept of a server's output; the newest is kept.",
    }),
  },
  { additionalProperties: false, description: "Servers as processes on other machines, by ssh." },
);
export type Options = Static<typeof options>;
