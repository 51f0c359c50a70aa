import { execFileSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync, rmdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";

// Takes down what is left of a docker bed: `node docker-sweep.ts FOLDER CGROUP BRIDGE…`. Begins at the end of its
// standard input, so also when the test that made the bed was killed. Knows its processes by the bed's own folder on
// their command lines and by the bed's own cgroup, so it touches nobody else's.

const [folder = "", cgroup = "", ...bridges] = process.argv.slice(2);

const isGone = () => undefined;
const attempt = <T>(work: () => T): T | undefined => {
  try {
    return work();
  } catch {
    return isGone();
  }
};

/** Daemons of the bed: engine, containerd, shims, registry. */
function daemons(): number[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid)
    .filter((pid) =>
      attempt(() => {
        const line = readFileSync(`/proc/${pid}/cmdline`, "utf8");
        return (
          line.includes(folder) &&
          /^[^\0]*(dockerd|containerd|containerd-shim[^\0]*|docker-registry)\0/.test(line)
        );
      }),
    )
    .map(Number);
}

/** Folders of the bed's cgroup: one with cgroup v2, one per controller with v1. */
function cgroups(): string[] {
  const root = "/sys/fs/cgroup";
  const names = attempt(() => readdirSync(root)) ?? [];
  return [root, ...names.map((name) => join(root, name))]
    .map((path) => join(path, cgroup))
    .filter((path) => existsSync(path));
}

const children = (path: string): string[] =>
  (attempt(() => readdirSync(path, { withFileTypes: true })) ?? [])
    .filter((entry) => entry.isDirectory())
    .map((entry) => join(path, entry.name));

function contained(path: string): number[] {
  const own = attempt(() => readFileSync(join(path, "cgroup.procs"), "utf8")) ?? "";
  return [...own.split("\n").filter(Boolean).map(Number), ...children(path).flatMap(contained)];
}

function removeCgroup(path: string): void {
  for (const child of children(path)) removeCgroup(child);
  attempt(() => rmdirSync(path));
}

async function end(find: () => number[]): Promise<void> {
  for (let round = 0; round < 100; round += 1) {
    const pids = find();
    if (pids.length === 0) return;
    for (const pid of pids) attempt(() => process.kill(pid, "SIGKILL"));
    await pause(50);
  }
}

/** Mounts below the bed's folder, innermost first. */
function mounts(): string[] {
  return readFileSync("/proc/self/mountinfo", "utf8")
    .split("\n")
    .map((line) => line.split(" ")[4] ?? "")
    .filter((path) => path.startsWith(`${folder}/`))
    .reverse();
}

process.stdin.resume();
await new Promise((resolve) => process.stdin.once("close", resolve));
// Not cut short by what ended the test.
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, () => {});
await end(daemons);
await end(() => cgroups().flatMap(contained));
for (let round = 0; round < 20 && mounts().length > 0; round += 1) {
  for (const path of mounts()) attempt(() => execFileSync("umount", ["-l", path], { stdio: "ignore" }));
}
for (const path of cgroups()) removeCgroup(path);
for (const bridge of bridges)
  attempt(() => execFileSync("ip", ["link", "delete", bridge], { stdio: "ignore" }));
if (mounts().length === 0) rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
