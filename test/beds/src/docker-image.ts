import { execFile } from "node:child_process";
import { createHash, randomBytes } from "node:crypto";
import {
  access,
  chmod,
  copyFile,
  cp,
  mkdir,
  mkdtemp,
  readdir,
  rename,
  rm,
  writeFile,
} from "node:fs/promises";
import { tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { promisify } from "node:util";

const run = promisify(execFile);
const CACHE = join(tmpdir(), "elara-beds-cache");
const TOOLS = [
  "sh",
  "bash",
  "ls",
  "cat",
  "ps",
  "id",
  "env",
  "sleep",
  "mkdir",
  "rm",
  "stat",
  "hostname",
  "dd",
  // What building and starting the hub's own image takes.
  "readlink",
  "dirname",
  "ln",
  "chown",
];
const LEFT_OUT = ["tests", "*.map", "pip", "schemathesis*", "hypothesis*"];
/** Raise it when what is packed changes. */
const RECIPE = 3;

/** Where an image has the packages of `site`. */
const SITE = "/opt/site";

/** What `docker import --change` makes of the rootfs. */
export const imageChanges = [
  `ENV PYTHONPATH=${SITE} PATH=/usr/local/bin:/usr/bin:/bin HOME=/home/jovyan`,
  "USER 1000:1000",
  "WORKDIR /home/jovyan",
  'CMD ["jupyterhub-singleuser"]',
];

/** site-packages of the Python whose `jupyterhub-singleuser` is on PATH; undefined when there is none. */
export async function siteOnPath(): Promise<string | undefined> {
  for (const folder of (process.env.PATH ?? "").split(delimiter)) {
    const isThere = await access(join(folder, "jupyterhub-singleuser")).then(
      () => true,
      () => false,
    );
    if (!isThere) continue;
    const { stdout } = await run(join(folder, "python3"), [
      "-c",
      "import sysconfig; print(sysconfig.get_path('purelib'))",
    ]);
    return stdout.trim();
  }
  return undefined;
}

/** What of a Python is packed. */
interface Python {
  /** The program itself, links followed. */
  readonly executable: string;
  readonly stdlib: string;
  readonly version: string;
  /** `/opt/venv` for a site of a virtual environment. */
  readonly prefix: string;
}

async function pythonOf(site: string | undefined): Promise<Python> {
  const program = site === undefined ? "/usr/bin/python3" : join(site, "../../../bin/python3");
  const script =
    "import json, os, sys, sysconfig; print(json.dumps({'executable': os.path.realpath(sys.executable), " +
    "'stdlib': sysconfig.get_path('stdlib'), 'version': '%d.%d' % sys.version_info[:2], 'prefix': sys.prefix}))";
  return JSON.parse((await run(program, ["-c", script])).stdout);
}

/**
 * A root file system as a tar file: a Python, the packages of `site` if given, a shell, a few tools, all libraries they
 * need, and those of the Node that runs this, so that it works in there when mounted. Kept for the next bed.
 */
export async function rootfsTar(site: string | undefined): Promise<string> {
  const python = await pythonOf(site);
  const packages = site === undefined ? [] : (await readdir(site)).filter((name) => name.endsWith("-info"));
  const key = createHash("sha256")
    .update(JSON.stringify([RECIPE, python, packages.sort(), process.version]))
    .digest("hex");
  const file = join(CACHE, `rootfs-${key.slice(0, 16)}.tar`);
  await mkdir(CACHE, { recursive: true });
  const isThere = await access(file).then(
    () => true,
    () => false,
  );
  if (isThere) return file;
  const root = await mkdtemp(join(CACHE, "rootfs-"));
  try {
    await fill(root, python, site);
    // Beside its place first: another bed may be making the same.
    const draft = `${file}.${randomBytes(4).toString("hex")}`;
    await run("tar", ["-C", root, "-cf", draft, "."]);
    await rename(draft, file);
  } finally {
    await rm(root, { recursive: true, force: true });
  }
  return file;
}

const exclusions = (names: readonly string[]): string[] => names.flatMap((name) => ["--exclude", name]);

/** Copies a folder's content; tar, because it leaves things out and keeps modes. */
async function copy(from: string, to: string, leftOut: readonly string[]): Promise<void> {
  await mkdir(to, { recursive: true });
  await run("sh", [
    "-c",
    'from=$1 to=$2; shift 2; tar -C "$from" -cf - "$@" . | tar -C "$to" -xf -',
    "sh",
    from,
    to,
    ...exclusions(leftOut),
  ]);
}

async function fill(root: string, python: Python, site: string | undefined): Promise<void> {
  const folders = ["bin", "usr/bin", "usr/lib", "usr/local/bin", "lib64", "etc", "opt", "proc", "sys", "dev"];
  for (const folder of [...folders, "run", "tmp", "var/tmp", "home/jovyan", dirname(python.executable)])
    await mkdir(join(root, folder), { recursive: true });
  await chmod(root, 0o755);
  for (const folder of ["tmp", "var/tmp"]) await chmod(join(root, folder), 0o1777);

  await cp(python.executable, join(root, python.executable));
  await run("ln", ["-sf", python.executable, join(root, "usr/local/bin/python3")]);
  const notNeeded = ["test", "idlelib", "tkinter", "config-*", "ensurepip", "dist-packages"];
  await copy(python.stdlib, join(root, python.stdlib), [...notNeeded, "site-packages"]);
  if (site !== undefined) {
    await copy(site, join(root, SITE), LEFT_OUT);
    for (const folder of ["share/jupyter", "etc/jupyter"]) {
      const from = join(python.prefix, folder);
      const isThere = await access(from).then(
        () => true,
        () => false,
      );
      if (isThere) await copy(from, join(root, "usr/local", folder), ["*.map"]);
    }
    const command = join(root, "usr/local/bin/jupyterhub-singleuser");
    const script =
      "#!/usr/local/bin/python3\nimport sys\nfrom jupyterhub.singleuser import main\nsys.exit(main())\n";
    await writeFile(command, script, { mode: 0o755 });
  }
  for (const tool of TOOLS) {
    const { stdout } = await run("sh", ["-c", 'command -v "$1" || true', "sh", tool]);
    if (stdout.startsWith("/")) await run("cp", ["-L", stdout.trim(), join(root, "bin", tool)]);
  }
  await copyLibraries(root, python);

  const write = (name: string, text: string) => writeFile(join(root, "etc", name), text);
  await write("passwd", "root:x:0:0::/root:/bin/sh\njovyan:x:1000:1000::/home/jovyan:/bin/bash\n");
  await write("group", "root:x:0:\njovyan:x:1000:\n");
  await write("nsswitch.conf", "hosts: files dns\n");
  await run("chown", ["1000:1000", join(root, "home/jovyan")]);
}

/** Every shared library that a program or module in `root` names, at the path it has here. */
async function copyLibraries(root: string, python: Python): Promise<void> {
  const { stdout: modules } = await run("find", [
    join(root, SITE),
    join(python.stdlib, "lib-dynload"),
    ...["-name", "*.so*", "-type", "f"],
  ]).catch((error: { stdout?: string }) => ({ stdout: error.stdout ?? "" }));
  const tools = (await readdir(join(root, "bin"))).map((name) => join(root, "bin", name));
  const programs = [python.executable, process.execPath, ...tools, ...modules.split("\n").filter(Boolean)];
  const { stdout } = await run("ldd", programs, { maxBuffer: 64 * 1024 * 1024 }).catch(
    (error: { stdout?: string }) => ({ stdout: error.stdout ?? "" }),
  );
  const libraries = new Set<string>();
  for (const line of stdout.split("\n")) {
    const [, path] = /(?:=> |^\s+)(\/\S+) \(0x/.exec(line) ?? [];
    if (path !== undefined && !path.startsWith(root)) libraries.add(path);
  }
  for (const path of libraries) {
    await mkdir(join(root, dirname(path)), { recursive: true });
    await run("cp", ["-L", path, join(root, path)]);
  }
}

/** The tar file's content and one file more: an image of its own, of which nothing is local under another name. */
export async function distinctTar(tar: string, into: string): Promise<string> {
  const file = join(into, "distinct.tar");
  await writeFile(join(into, "distinct"), randomBytes(4_000_000));
  await copyFile(tar, file);
  await run("tar", ["-C", into, "-rf", file, "distinct"]);
  return file;
}
