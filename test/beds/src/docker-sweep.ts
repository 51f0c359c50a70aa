import { execFileSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync, rmdirSync } from "node:fs";
import { join } from "node:path";
import { processes, wordsOf } from "./processes.ts";
import { endAll, ownerGone, removeTree } from "./sweep.ts";

// Takes down what is left of a docker bed: `node docker-sweep.ts FOLDER CGROUP BRIDGE…`. Knows its processes by the bed's
// own folder on their command lines and by the bed's own cgroup, so it touches nobody else's.

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
const daemons = (): number[] =>
  processes()
    .map(({ pid }) => pid)
    .filter((pid) => {
      const [program = "", ...args] = wordsOf(pid, "cmdline");
      return (
        /(dockerd|containerd|containerd-shim.*|docker-registry)$/.test(program) &&
        [program, ...args].join(" ").includes(folder)
      );
    });

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

/** Mounts below the bed's folder, innermost first. */
function mounts(): string[] {
  return readFileSync("/proc/self/mountinfo", "utf8")
    .split("\n")
    .map((line) => line.split(" ")[4] ?? "")
    .filter((path) => path.startsWith(`${folder}/`))
    .reverse();
}

await ownerGone();
await endAll(daemons);
await endAll(() => cgroups().flatMap(contained));
for (let round = 0; round < 20 && mounts().length > 0; round += 1) {
  for (const path of mounts()) attempt(() => execFileSync("umount", ["-l", path], { stdio: "ignore" }));
}
for (const path of cgroups()) removeCgroup(path);
for (const bridge of bridges)
  attempt(() => execFileSync("ip", ["link", "delete", bridge], { stdio: "ignore" }));
if (mounts().length === 0) removeTree(folder);
