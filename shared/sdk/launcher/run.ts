import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import { type Static, Type } from "typebox";
import { LaunchRefusal, readAnswer } from "./look.ts";
import { LaunchExit, LaunchState } from "./records.ts";

const launcherPath = fileURLToPath(new URL("./launch.py", import.meta.url));

interface Target {
  /** Folder of claims on the machine of the server, absolute or `~/…`. Its file system must keep `flock`. */
  readonly runDir: string;
  readonly tag: string;
}

/** What is to be started. Goes to launch.py on stdin, never on a command line. */
export interface StartOrder extends Target {
  readonly action: "start";
  readonly argv: readonly string[];
  /** All of the server's environment but JUPYTERHUB_SERVICE_URL, which the launcher sets once it has a port. */
  readonly env: Readonly<Record<string, string>>;
  readonly servicePrefix: string;
  /** IP address to listen on. */
  readonly host: string;
  readonly portRange: readonly [first: number, last: number];
  /** How long a port is not given out again. */
  readonly portRestSeconds: number;
  readonly logBytes: number;
  /** Become this account: its groups, home, shell. Only as root. */
  readonly account?: string;
  /** Be whoever runs the launcher, with that account's home and shell. */
  readonly ownAccount?: boolean;
  /** Refuse accounts below. */
  readonly minUid?: number;
  /** Default: the account's home, or `/`. */
  readonly cwd?: string;
  /** Octal, default `022`. */
  readonly umask?: string;
  /** By name in small letters without RLIMIT_: `{ nofile: 4096 }`. */
  readonly limits?: Readonly<Record<string, number>>;
  /** Report `running` only when a process of the server itself listens on the port; default true. */
  readonly checkListener?: boolean;
  /** Grace when somebody sends TERM to the launcher without a stop order; default 10. */
  readonly graceSeconds?: number;
}

export type LaunchOrder =
  | StartOrder
  | (Target & { readonly action: "stop"; readonly graceSeconds: number })
  /** Sees to it that a launcher looks after a server whose own one was killed. */
  | (Target & { readonly action: "attend"; readonly checkListener?: boolean })
  /** Forgets a server that has ended; refused while it runs. */
  | (Target & { readonly action: "cleanup" });

/** An order without the folder of claims, which depends on where it is carried out. */
export type Wish<Order> = Order extends unknown ? Omit<Order, "runDir"> : never;

const Nothing = Type.Null();
/** What launch.py answers. */
export const LaunchAnswer = Type.Union([
  Type.Object({
    ok: Type.Literal(true),
    /** For `start`: true when this call started it, false when it was there. */
    claimed: Type.Optional(Type.Boolean()),
    state: Type.Union([LaunchState, Nothing]),
    exit: Type.Union([LaunchExit, Nothing]),
  }),
  LaunchRefusal,
]);
export type LaunchAnswer = Static<typeof LaunchAnswer>;

/**
 * Runs launch.py on this machine. Resolves also when it refuses; rejects only when Python cannot be run. It cannot be
 * cancelled half-way: it takes a fraction of a second, and what it began must be known.
 */
export function runLauncher(python: string, order: LaunchOrder): Promise<LaunchAnswer> {
  return new Promise((resolve, reject) => {
    // A session of its own: Ctrl-C at the hub's terminal must not cut a start in two.
    // PATH, because `python3` may be a script that looks for the real one.
    const env = { PATH: process.env.PATH, LANG: "C.UTF-8" };
    // No site packages, no environment of whoever calls.
    const child = spawn(python, ["-I", "-S", launcherPath], { cwd: "/", detached: true, env });
    let stdout = "";
    let stderr = "";
    child.stdout.setEncoding("utf8").on("data", (data: string) => {
      stdout += data;
    });
    child.stderr.setEncoding("utf8").on("data", (data: string) => {
      stderr += data;
    });
    child.once("error", reject);
    child.once("close", () => resolve(readAnswer(LaunchAnswer, stdout, stderr)));
    // A Python that ends at once breaks the pipe; `close` tells what it said.
    child.stdin.on("error", () => {});
    child.stdin.end(JSON.stringify(order));
  });
}
