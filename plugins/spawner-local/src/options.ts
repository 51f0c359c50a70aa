import { portRange, Type } from "@elara/sdk";

/** Options of the local spawner. */
export const options = Type.Object(
  {
    systemAccounts: Type.Boolean({
      default: false,
      description:
        "Run each server as the system account of the user's name, with its groups and home. Needs root. False: all run as the hub's own account.",
    }),
    minUid: Type.Integer({
      default: 1000,
      minimum: 1,
      description: "With `systemAccounts`: accounts with a lower uid are refused.",
    }),
    homes: Type.String({
      default: "homes/{user}",
      minLength: 1,
      description:
        "Without `systemAccounts`: home of each user, made if missing; relative to the spawner's data folder. `{user}` is the encoded name. `own`: the home of the hub's own account, shared by all.",
    }),
    host: Type.String({
      default: "127.0.0.1",
      pattern: "^[0-9a-fA-F.:]+$",
      description: "IP address servers listen on.",
    }),
    portRange: portRange({
      description:
        "First and last port for servers. Keep it below the range the system uses for outgoing connections (32768 and up).",
    }),
    portRestSeconds: Type.Integer({
      default: 120,
      minimum: 0,
      description:
        "How long a port is not given out again, so that a stale route never leads to somebody else.",
    }),
    python: Type.String({
      default: "",
      description:
        "Python 3.9 or newer that runs the launcher (not the servers). Empty: /usr/bin/python3, else python3 from PATH.",
    }),
    environmentKeep: Type.Array(Type.String(), {
      default: [
        "PATH",
        "LANG",
        "LC_ALL",
        "TZ",
        "LD_LIBRARY_PATH",
        "PYTHONPATH",
        "VIRTUAL_ENV",
        "CONDA_ROOT",
        "CONDA_DEFAULT_ENV",
        "JUPYTERHUB_SINGLEUSER_APP",
      ],
      description: "Variables of the hub's own environment that servers get too.",
    }),
    umask: Type.String({
      default: "022",
      pattern: "^0?[0-7]{3}$",
      description: "File mode mask of servers.",
    }),
    limits: Type.Record(Type.String({ pattern: "^[a-z]+$" }), Type.Integer({ minimum: 0 }), {
      default: {},
      description: "Resource limits by setrlimit's names in small letters, e.g. `{ nofile: 4096 }`.",
    }),
    logBytes: Type.Integer({
      default: 1_048_576,
      minimum: 4096,
      description: "Bound of what is kept of a server's output; the newest is kept.",
    }),
    checkListener: Type.Boolean({
      default: true,
      description:
        "A server counts as running only when a process of its own listens on its port. Turn off for commands that start a container whose port another program holds.",
    }),
  },
  { additionalProperties: false, description: "Servers as processes on this machine." },
);
