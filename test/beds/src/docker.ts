import { type ChildProcess, execFile, execFileSync, spawn } from "node:child_process";
import { randomBytes, randomInt } from "node:crypto";
import { closeSync, mkdirSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { request } from "node:http";
import { networkInterfaces, tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { promisify } from "node:util";
import { distinctTar, imageChanges, rootfsTar, siteOnPath } from "./docker-image.ts";
import { beginSweeper } from "./sweep.ts";
import { unusedPort } from "./unused-port.ts";

/** An engine of its own: data, socket, bridges and cgroup are nobody else's, and nothing is left after `close`. */
export interface DockerBed {
  /** Where the engine listens. */
  readonly socketPath: string;
  /** Runs a server of this machine's Node if that is mounted; has Jupyter when the bed was given a site. */
  readonly image: string;
  /** A bridge network besides the engine's default one, `bridge`. */
  readonly network: string;
  /** This machine's address on `network`. */
  readonly gateway: string;
  /** This machine's address on the network `bridge`. */
  readonly defaultGateway: string;
  readonly registry: Registry;
  /** Runs the docker command against this engine; gives what it prints. */
  docker(...args: string[]): Promise<string>;
  /** What the engine wrote so far. */
  log(): string;
  /** Kills the engine; containers go on. */
  stop(): Promise<void>;
  /** Begins it again. */
  start(): Promise<void>;
  close(): Promise<void>;
}

export interface Registry {
  /** `127.0.0.1:port`. */
  readonly address: string;
  /** In the registry only. Two layers; what `image` has but Jupyter. */
  readonly image: string;
  /** Puts a local image there under this name, and takes it away here. Gives its whole name. */
  push(image: string, name: string): Promise<string>;
}

export interface DockerBedOptions {
  /** site-packages for the image; `false`: an image without Jupyter, made in seconds. Default: found by `jupyterhub-singleuser` on PATH. */
  readonly site?: string | false;
}

const run = promisify(execFile);
const PATH = `${process.env.PATH ?? ""}:/usr/local/sbin:/usr/sbin:/sbin`;
const PROGRAMS = [
  "dockerd",
  "docker",
  "containerd",
  "runc",
  "docker-registry",
  "python3",
  "ldd",
  "tar",
  "ip",
];

/** Why it cannot run here; false when it can. */
export function dockerMissing(): string | false {
  if (process.platform !== "linux" || process.getuid?.() !== 0)
    return "needs root on Linux: docker is NOT tested on a real engine";
  for (const program of PROGRAMS) {
    try {
      execFileSync("sh", ["-c", 'command -v "$1"', "sh", program], { env: { PATH }, stdio: "ignore" });
    } catch {
      return `needs ${program}: docker is NOT tested on a real engine`;
    }
  }
  return false;
}

/** Starts an engine and makes its image. Takes half a minute the first time, then seconds. */
export async function startDocker({ site }: DockerBedOptions = {}): Promise<DockerBed> {
  const folder = mkdtempSync(join(tmpdir(), "elara-docker-"));
  const id = randomBytes(4).toString("hex");
  const [bridge, networkBridge] = [`elb${id}d`, `elb${id}n`];
  const cgroup = `elara-bed-${id}`;
  const close = beginSweeper("docker-sweep.ts", [folder, cgroup, bridge, networkBridge]);
  try {
    const [subnet, defaultSubnet] = await addBridge(bridge);
    const engine = engineIn(folder, { bridge, cgroup, subnet: defaultSubnet });
    await engine.start();
    const network = "elara-net";
    await engine.docker(
      ...["network", "create", "--subnet", `${subnet}.0/24`, "--gateway", `${subnet}.1`],
      ...["--opt", `com.docker.network.bridge.name=${networkBridge}`, network],
    );
    const bare = await rootfsTar(undefined);
    const packages = site === false ? undefined : (site ?? (await siteOnPath()));
    const image = "elara-test/singleuser:dev";
    await engine.load(packages === undefined ? bare : await rootfsTar(packages), image);
    return {
      socketPath: engine.socketPath,
      image,
      network,
      gateway: `${subnet}.1`,
      defaultGateway: `${defaultSubnet}.1`,
      registry: await startRegistry(folder, engine, bare),
      docker: engine.docker,
      log: engine.log,
      stop: engine.stop,
      start: engine.start,
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}

/** The engine's default bridge, with two free subnets: what is left of an address without its last number. */
async function addBridge(bridge: string): Promise<[string, string]> {
  const taken = Object.values(networkInterfaces()).flatMap((list) =>
    (list ?? []).map((each) => each.address),
  );
  const { stdout: routes } = await run("ip", ["-4", "route"], { env: { PATH } });
  const free = (): string => {
    const subnet = `10.${randomInt(128, 255)}.${randomInt(256)}`;
    return taken.some((each) => each.startsWith(`${subnet}.`)) || routes.includes(`${subnet}.`)
      ? free()
      : subnet;
  };
  const [one, other] = [free(), free()];
  const ip = (...args: string[]) => run("ip", args, { env: { PATH } });
  await ip("link", "add", "name", bridge, "type", "bridge");
  await ip("address", "add", `${other}.1/24`, "dev", bridge);
  await ip("link", "set", bridge, "up");
  return [one, other];
}

interface Engine {
  readonly socketPath: string;
  docker(...args: string[]): Promise<string>;
  load(tar: string, image: string): Promise<void>;
  log(): string;
  start(): Promise<void>;
  stop(): Promise<void>;
}

function engineIn(folder: string, own: { bridge: string; cgroup: string; subnet: string }): Engine {
  const socketPath = join(folder, "docker.sock");
  const logFile = join(folder, "dockerd.log");
  let child: ChildProcess | undefined;
  const args = [
    ...["--host", `unix://${socketPath}`, "--pidfile", join(folder, "dockerd.pid")],
    ...["--data-root", join(folder, "data"), "--exec-root", join(folder, "exec")],
    ...["--bridge", own.bridge, "--fixed-cidr", `${own.subnet}.0/24`, "--cgroup-parent", `/${own.cgroup}`],
    // The machine's firewall and routing are not this engine's; its containers talk to this machine only.
    ...["--iptables=false", "--ip6tables=false", "--ip-forward=false", "--ip-masq=false"],
    ...["--exec-opt", "native.cgroupdriver=cgroupfs", "--live-restore", "--log-level", "warn"],
  ];
  const log = (): string => readFileSync(logFile, "utf8");
  const docker = async (...words: string[]): Promise<string> => {
    const env = { PATH, HOME: folder, DOCKER_HOST: `unix://${socketPath}` };
    return (await run("docker", words, { env, maxBuffer: 64 * 1024 * 1024 })).stdout.trim();
  };
  return {
    socketPath,
    docker,
    log,
    async load(tar, image) {
      await docker("import", ...imageChanges.flatMap((change) => ["--change", change]), tar, image);
    },
    async start() {
      const out = openSync(logFile, "a");
      const started = spawn("dockerd", args, {
        stdio: ["ignore", out, out],
        detached: true,
        env: { ...process.env, PATH },
      });
      closeSync(out);
      started.unref();
      child = started;
      const end = performance.now() + 60_000;
      while (!(await answers(socketPath))) {
        if (started.exitCode !== null || performance.now() > end)
          throw new Error(`dockerd does not answer:\n${log().slice(-4000)}`);
        await pause(50);
      }
    },
    async stop() {
      const running = child;
      child = undefined;
      if (!running || running.exitCode !== null || running.signalCode !== null) return;
      const closed = new Promise((resolve) => running.once("close", resolve));
      running.ref();
      running.kill("SIGKILL");
      await closed;
      await containerdGone(folder);
    },
  };
}

/**
 * Its containerd dies with it; a new engine must not take the dying one for its own, nor one that nobody has reaped:
 * its pid would still seem alive.
 */
async function containerdGone(folder: string): Promise<void> {
  const pidFile = join(folder, "exec/containerd/containerd.pid");
  const pid = readFileSync(pidFile, "utf8").trim();
  const isAlive = (): boolean => {
    try {
      return readFileSync(`/proc/${pid}/cmdline`, "utf8").includes(folder);
    } catch {
      return false;
    }
  };
  const end = performance.now() + 10_000;
  while (isAlive()) {
    if (performance.now() > end) throw new Error("containerd outlived its engine");
    await pause(20);
  }
  rmSync(pidFile);
}

const answers = (socketPath: string): Promise<boolean> =>
  new Promise((resolve) => {
    const asked = request({ socketPath, path: "/_ping", timeout: 2_000 }, (response) => {
      response.resume();
      response.once("end", () => resolve(response.statusCode === 200));
    });
    asked.once("error", () => resolve(false));
    asked.once("timeout", () => asked.destroy());
    asked.end();
  });

async function startRegistry(folder: string, engine: Engine, tar: string): Promise<Registry> {
  const address = `127.0.0.1:${await unusedPort()}`;
  const own = join(folder, "registry");
  mkdirSync(own);
  const config = join(own, "config.yml");
  writeFileSync(
    config,
    `version: 0.1\nlog: { level: warn }\nstorage: { filesystem: { rootdirectory: ${join(own, "data")} } }\nhttp: { addr: "${address}" }\n`,
  );
  const out = openSync(join(own, "log"), "a");
  spawn("docker-registry", ["serve", config], { stdio: ["ignore", out, out], detached: true }).unref();
  closeSync(out);
  const end = performance.now() + 20_000;
  while (
    !(await fetch(`http://${address}/v2/`).then(
      (answer) => answer.ok,
      () => false,
    ))
  ) {
    if (performance.now() > end) throw new Error(`no registry:\n${readFileSync(join(own, "log"), "utf8")}`);
    await pause(50);
  }
  const push = async (image: string, name: string): Promise<string> => {
    const whole = `${address}/${name}`;
    await engine.docker("tag", image, whole);
    await engine.docker("push", "--quiet", whole);
    await engine.docker("rmi", whole);
    return whole;
  };
  // Of other layers than the local image, so that a pull has something to fetch.
  const distinct = await distinctTar(tar, own);
  await engine.load(distinct, "elara-test/base");
  const container = await engine.docker("create", "elara-test/base", "true");
  await engine.docker("cp", config, `${container}:/etc/second-layer`);
  await engine.docker("commit", container, "elara-test/layered");
  await engine.docker("rm", container);
  const image = await push("elara-test/layered", "elara/small:1");
  await engine.docker("rmi", "elara-test/layered", "elara-test/base");
  rmSync(distinct);
  return { address, image, push };
}
