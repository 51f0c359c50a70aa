import { type ChildProcess, execFile, execFileSync, spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { closeSync, mkdirSync, mkdtempSync, openSync, readFileSync, rmSync } from "node:fs";
import { chmod, chown, mkdir, stat, writeFile } from "node:fs/promises";
import { hostname, tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { promisify } from "node:util";
import { configurationOf } from "./slurm-configuration.ts";
import { beginSweeper } from "./sweep.ts";
import { unusedPort } from "./unused-port.ts";

const run = promisify(execFile);
const NEEDED = ["munged", "munge", "slurmctld", "slurmd", "sbatch", "squeue", "useradd", "sudo"];
const PATH = [process.env.PATH ?? "", "/usr/local/sbin", "/usr/sbin", "/sbin"].join(delimiter);

/** Why no Slurm can be started here; false when it can. For node:test's `skip`. */
export function slurmMissing(): string | false {
  if (process.getuid?.() !== 0) return "needs root: starts a Slurm of its own with two accounts";
  for (const command of NEEDED) {
    try {
      execFileSync("/bin/sh", ["-c", `command -v ${command}`], { env: { PATH }, stdio: "ignore" });
    } catch {
      return `needs ${command} (apt install slurm-wlm munge sudo)`;
    }
  }
  return false;
}

/** A Slurm of three nodes on this machine; everything it is lies in one folder. */
export interface SlurmBed {
  /** What its commands need in their environment. */
  readonly env: { readonly SLURM_CONF: string };
  /** Two accounts with homes, removed on close. */
  readonly accounts: readonly [string, string];
  readonly nodes: readonly { readonly name: string; readonly address: string }[];
  /** `main`: default, 8 h. `short`: 1 minute. `closed`: down, jobs wait there for ever. */
  readonly partitions: readonly ["main", "short", "closed"];
  /** Its folder: logs of all daemons lie in `log`. */
  readonly dir: string;
  /** Runs a command of it, as root or as an account; gives what it printed. Rejects when it fails. */
  run(argv: readonly string[], options?: { account?: string; input?: string }): Promise<string>;
  readonly controller: {
    /** SIGKILL, once what it knows is on disk: killed before, it forgets jobs, or runs them again. */
    stop(): Promise<void>;
    /** Resolves once it answers. */
    start(): Promise<void>;
    /** SIGSTOP: commands hang until they give up. */
    freeze(): void;
    thaw(): void;
    /** Restarts it from nothing: it has forgotten every job and counts from the first id again. */
    forget(): Promise<void>;
  };
  /** Ends all jobs, daemons and processes of its accounts, removes the accounts and the folder. */
  close(): Promise<void>;
}

export interface SlurmOptions {
  /** Seconds until the controller forgets a finished job; default 60. */
  readonly minJobAge?: number;
  /** Of each of its three nodes, whatever the machine has; default 4. */
  readonly cpus?: number;
}

/** Starts one. Takes about two seconds. */
export async function startSlurm(options: SlurmOptions = {}): Promise<SlurmBed> {
  const dir = mkdtempSync(join(tmpdir(), "elara-slurm-"));
  const daemons = new Map<string, ChildProcess>();
  const env = { SLURM_CONF: join(dir, "etc", "slurm.conf") };
  const environment = { PATH, LANG: "C.UTF-8", ...env };
  const accounts = [newAccount(), newAccount()] as const;
  const close = beginSweeper("slurm-sweep.ts", [dir, ...accounts]);

  /** In a session of its own: an interrupted test run does not take it down half-way. */
  function begin(name: string, argv: readonly string[], as: { uid?: number; gid?: number } = {}): void {
    const [command = "", ...args] = argv;
    const log = openSync(join(dir, "log", `${name}.out`), "a");
    const child = spawn(command, args, {
      cwd: "/",
      detached: true,
      env: environment,
      stdio: ["ignore", log, log],
      ...as,
    });
    child.on("error", () => {});
    child.unref();
    closeSync(log);
    daemons.set(name, child);
  }

  async function end(name: string): Promise<void> {
    const child = daemons.get(name);
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    const ended = new Promise<void>((done) => child.once("exit", () => done()));
    child.kill("SIGKILL");
    await ended;
  }

  async function runIn(
    argv: readonly string[],
    { account, input }: { account?: string; input?: string } = {},
  ) {
    const [command = "", ...args] =
      account === undefined
        ? argv
        : ["sudo", "-n", "-H", "-u", account, `SLURM_CONF=${env.SLURM_CONF}`, "--", ...argv];
    const running = run(command, args, { cwd: "/", env: environment, maxBuffer: 64 << 20 });
    running.child.stdin?.on("error", () => {});
    running.child.stdin?.end(input ?? "");
    return (await running).stdout;
  }

  const startController = async (): Promise<void> => {
    begin("slurmctld", ["slurmctld", "-D"]);
    await until(
      "the controller to answer",
      () => runIn(["scontrol", "ping"]).then((text) => text.includes("is UP")),
      () => tail(join(dir, "log", "slurmctld.out")),
    );
  };
  const idleNodes = async (): Promise<number> =>
    (await runIn(["sinfo", "-h", "-N", "-p", "main", "-t", "idle,alloc,mix", "-o", "%N"]))
      .trim()
      .split("\n")
      .filter(Boolean).length;

  const { nodes, text } = configurationOf({
    dir,
    hostname: hostname().split(".")[0] ?? "localhost",
    ports: await Promise.all(Array.from({ length: 4 }, () => unusedPort())),
    minJobAge: options.minJobAge ?? 60,
    cpus: options.cpus ?? 4,
  });

  const bed: SlurmBed = {
    env,
    accounts,
    nodes,
    partitions: ["main", "short", "closed"],
    dir,
    run: runIn,
    controller: {
      async stop() {
        const [job = ""] = (await runIn(["squeue", "-h", "-o", "%A"]).catch(() => "")).split("\n");
        const now = Date.now();
        // It writes after some changes only; this is one.
        if (job !== "") {
          await runIn(["scontrol", "update", `jobid=${job}`, "comment=saved"]);
          const isSaved = async () => (await stat(join(dir, "state", "job_state"))).mtimeMs > now;
          await until("the controller to save", isSaved, () => "");
        }
        await end("slurmctld");
      },
      start: startController,
      freeze: () => void daemons.get("slurmctld")?.kill("SIGSTOP"),
      thaw: () => void daemons.get("slurmctld")?.kill("SIGCONT"),
      async forget() {
        await end("slurmctld");
        rmSync(join(dir, "state"), { recursive: true });
        mkdirSync(join(dir, "state"), { mode: 0o755 });
        await startController();
        await until(
          "the nodes to be there",
          async () => (await idleNodes()) === nodes.length,
          () => "",
        );
      },
    },
    close,
  };

  try {
    for (const name of accounts)
      execFileSync("useradd", ["--create-home", "--shell", "/bin/bash", name], { env: { PATH } });
    for (const name of ["etc", "state", "spool", "log"]) await mkdir(join(dir, name), { mode: 0o755 });
    for (const path of [dir, "etc", "state", "spool", "log"])
      await chmod(join(dir, path === dir ? "" : path), 0o755);
    for (const node of nodes) await mkdir(join(dir, "spool", node.name), { mode: 0o755 });
    await writeFile(env.SLURM_CONF, text);
    const munge = accountIds("munge");
    for (const [name, mode] of [
      ["munge", 0o700],
      ["run", 0o755],
    ] as const) {
      await mkdir(join(dir, name), { mode });
      await chmod(join(dir, name), mode);
      await chown(join(dir, name), munge.uid, munge.gid);
    }
    await writeFile(join(dir, "munge", "key"), randomBytes(1024), { mode: 0o400 });
    await chown(join(dir, "munge", "key"), munge.uid, munge.gid);
    const socket = join(dir, "run", "munge.socket");
    const files = [
      `--pid-file=${dir}/run/munged.pid`,
      `--log-file=${dir}/munge/log`,
      `--seed-file=${dir}/munge/seed`,
    ];
    begin(
      "munged",
      ["munged", "-F", "--num-threads=2", `--key-file=${dir}/munge/key`, `--socket=${socket}`, ...files],
      munge,
    );
    await until(
      "munge to answer",
      () => run("munge", ["-n", `--socket=${socket}`], { env: environment }).then(() => true),
      () => tail(join(dir, "log", "munged.out")),
    );
    await Promise.all([
      startController(),
      ...nodes.map(({ name }) => begin(`slurmd.${name}`, ["slurmd", "-D", "-N", name])),
    ]);
    await until(
      "the nodes to be there",
      async () => (await idleNodes()) === nodes.length,
      () => ["slurmctld", "slurmd.n1"].map((name) => tail(join(dir, "log", `${name}.out`))).join("\n"),
    );
    return bed;
  } catch (error) {
    await bed.close();
    throw error;
  }
}

const newAccount = (): string => `elara-s${randomBytes(3).toString("hex")}`;

function accountIds(name: string): { uid: number; gid: number } {
  const id = (flag: string) => Number(execFileSync("id", [flag, name], { encoding: "utf8" }));
  return { uid: id("-u"), gid: id("-g") };
}

/** The end of a file, for people. */
function tail(file: string): string {
  try {
    return readFileSync(file, "utf8").slice(-2000);
  } catch {
    return "";
  }
}

async function until(what: string, look: () => Promise<boolean>, why: () => string): Promise<void> {
  const end = performance.now() + 30_000;
  for (;;) {
    if (await look().catch(() => false)) return;
    if (performance.now() > end) throw new Error(`waited 30 s for ${what}: ${why()}`);
    await pause(100);
  }
}
