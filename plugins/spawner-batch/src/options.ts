import { portRange, Type } from "@elara/sdk";
import { sshOptions } from "@elara/ssh";
import type { Static } from "typebox";
import { DEFAULT_SCRIPT } from "./script.ts";

/** No control characters: each value becomes part of one argument, or of a script after quoting. */
const WORD = "^[^\\u0000-\\u001f\\u007f]{0,200}$";
const choice = (title: string, description: string, userChoice: true | "named" = "named") =>
  Type.String({ default: "", pattern: WORD, title, description, userChoice });
/** Bounds that no real job comes near: beyond, schedulers count wrong. */
const amount = (title: string, description: string, maximum: number, measured: { unit?: string } = {}) =>
  Type.Integer({ default: 0, minimum: 0, maximum, title, ...measured, description, userChoice: true });

/** Options of the batch spawner. */
export const options = Type.Object(
  {
    scheduler: Type.Union([Type.Literal("slurm"), Type.Literal("pbs")], {
      default: "slurm",
      description:
        "Which batch system. `pbs`: PBS Pro or OpenPBS; written from its manual, not run on a real one.",
    }),
    transport: Type.Union([Type.Literal("sudo"), Type.Literal("local"), Type.Literal("ssh")], {
      default: "sudo",
      description:
        "How its commands are run. `sudo`: on this machine, as each user by sudo. `local`: on this machine, everything as the hub's own account. `ssh`: on a login node.",
    }),
    login: Type.Object(
      {
        host: Type.String({ default: "", description: "Login node, for `ssh`." }),
        port: Type.Integer({ default: 22, minimum: 1, maximum: 65535 }),
        account: Type.String({
          default: "",
          description: "The hub's own account there; asks the scheduler, runs nothing for users.",
        }),
        ssh: sshOptions,
      },
      { additionalProperties: false, default: {} },
    ),
    user: Type.String({
      default: "{username}",
      minLength: 1,
      description: "Account at the batch system. `{username}` is the name in the hub.",
    }),
    minUid: Type.Integer({
      default: 1000,
      minimum: 1,
      description: "Accounts with a lower uid are refused. Not used with `local`.",
    }),
    environment: Type.Record(
      Type.String({ pattern: "^[A-Za-z_][A-Za-z0-9_]*$" }),
      Type.String({ pattern: WORD }),
      {
        default: {},
        additionalProperties: false,
        description: "Environment of the scheduler's commands: PATH, SLURM_CONF. No secrets.",
      },
    ),
    runDir: Type.String({
      default: "~/.elara/run",
      pattern: "^(~/|/)[^\\u0000-\\u001f\\u007f]+$",
      description:
        "Folder for the records of running servers, seen by login and compute nodes. `~/` is the user's home there; `{username}` is the account.",
    }),
    python: Type.String({
      default: "python3",
      minLength: 1,
      pattern: WORD,
      description: "Python 3.9 or newer at login and compute nodes; runs the launcher, not the servers.",
    }),
    script: Type.String({
      default: DEFAULT_SCRIPT,
      minLength: 1,
      description:
        "Job script, a LiquidJS template by the administrator that begins with `#!`: load modules here. What is put in is quoted for the shell. Known: `python`, `user`, `account`, `server`, `options.NAME`; `{% render 'launch', python: python %}` starts the server.",
    }),
    partition: choice("Partition", "Partition or queue; empty: the scheduler's default.", true),
    account: choice("Project", "Account (project) the time is charged to; empty: the scheduler's default."),
    qos: choice("Quality of service", "Empty: the scheduler's default."),
    reservation: choice("Reservation", "Empty: none."),
    constraint: Type.String({
      default: "",
      pattern: WORD,
      perStart: true,
      description: "Features nodes must have.",
    }),
    cpus: amount("CPUs", "0: the scheduler's default.", 4096),
    memoryMiB: amount("Memory", "0: the scheduler's default.", 16_777_216, { unit: "MiB" }),
    gpus: amount("GPUs", "0: none.", 64),
    gpuType: Type.String({
      default: "",
      pattern: "^[A-Za-z0-9_.-]*$",
      perStart: true,
      description: "Type of GPU; empty: any.",
    }),
    walltimeMinutes: amount(
      "Time",
      "How long the server may run; 0: the partition's default. Checked against the partition's limit.",
      525_600,
      { unit: "minutes" },
    ),
    extraArguments: Type.Array(Type.String({ pattern: "^--?[A-Za-z][^\\u0000-\\u001f\\u007f]*$" }), {
      default: [],
      perStart: true,
      description:
        "Further arguments of the submit, one each: `--nice=100`. Flags that change who, where or what runs are refused.",
    }),
    nodeAddress: Type.Union([Type.Literal("scheduler"), Type.Literal("name")], {
      default: "scheduler",
      description: "Where the hub reaches a node: at the address the scheduler knows, or by its name.",
    }),
    listen: Type.String({
      default: "0.0.0.0",
      pattern: "^[0-9a-fA-F.:]+$",
      description: "Address servers listen on, on their node.",
    }),
    portRange: portRange({ description: "First and last port for servers on the nodes, for the firewall." }),
    portRestSeconds: Type.Integer({
      default: 120,
      minimum: 0,
      description: "How long a port is not used again on its node by the same account.",
    }),
    killWaitSeconds: Type.Number({
      default: 20,
      exclusiveMinimum: 0,
      description:
        "How long a server has to end when the scheduler asks; below the scheduler's own patience (Slurm: KillWait).",
    }),
    logBytes: Type.Integer({
      default: 1_048_576,
      minimum: 4096,
      description: "Bound of what is kept of a server's output; the newest is kept.",
    }),
    checkAccount: Type.String({
      default: "",
      description:
        "For `elara check`: an account to try the way to the scheduler with. Empty: that is left out.",
    }),
    checkJob: Type.Boolean({
      default: false,
      description: "For `elara check`: also run a job of a few seconds as `checkAccount`.",
    }),
  },
  { additionalProperties: false, description: "Servers as jobs of a batch system." },
);
export type Options = Static<typeof options>;
