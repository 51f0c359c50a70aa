import { spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { fileURLToPath } from "node:url";
import { unusedPort } from "@elara/beds/unused-port";
import { PASSWORD } from "../fixtures/hub.ts";
import { jupyterBin } from "../fixtures/jupyter.ts";
import { endServersOf } from "../fixtures/processes.ts";

const ELARA = fileURLToPath(new URL("../../services/launcher/bin/elara.js", import.meta.url));
const BIN = fileURLToPath(new URL("../../node_modules/.bin", import.meta.url));
const PATIENCE_MS = 60_000;

interface Candidate {
  readonly name: string;
  command(
    dir: string,
    ports: readonly number[],
  ): Promise<{ program: string; args: string[]; env: NodeJS.ProcessEnv }>;
}

const elara: Candidate = {
  name: "elara run all",
  async command(dir, [port = 0, internal = 0]) {
    return {
      program: process.execPath,
      args: [ELARA, "run", "all", "--data", dir, "--port", String(port), "--internal-port", String(internal)],
      env: { PATH: `${await jupyterBin()}${delimiter}${process.env.PATH}`, ELARA_TRIAL_PASSWORD: PASSWORD },
    };
  },
};

const jupyterhub: Candidate = {
  name: "jupyterhub 6.1.1 + configurable-http-proxy",
  async command(dir, [port = 0, hub = 0, api = 0]) {
    const file = join(dir, "jupyterhub_config.py");
    writeFileSync(
      file,
      `c = get_config()
c.JupyterHub.bind_url = "http://127.0.0.1:${port}"
c.JupyterHub.hub_bind_url = "http://127.0.0.1:${hub}"
c.ConfigurableHTTPProxy.api_url = "http://127.0.0.1:${api}"
c.JupyterHub.authenticator_class = "dummy"
c.JupyterHub.spawner_class = "simple"
c.Authenticator.allow_all = True
c.JupyterHub.log_level = 30
`,
    );
    const bin = await jupyterBin();
    return {
      program: join(bin, "jupyterhub"),
      args: ["-f", file],
      env: { PATH: `${bin}${delimiter}${BIN}${delimiter}${process.env.PATH}` },
    };
  },
};

/** Milliseconds from the command to the first 200 of /hub/health through the public port. */
async function once(candidate: Candidate): Promise<number> {
  const dir = mkdtempSync(join(tmpdir(), "elara-cold-"));
  const ports = [await unusedPort(), await unusedPort(), await unusedPort()];
  const { program, args, env } = await candidate.command(dir, ports);
  const began = performance.now();
  const child = spawn(program, args, {
    env: { ...process.env, ...env },
    cwd: dir,
    stdio: ["ignore", "ignore", "pipe"],
    detached: true,
  });
  let errors = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    errors += text;
  });
  try {
    for (;;) {
      if (child.exitCode !== null) throw new Error(`${candidate.name} ended: ${errors.slice(-1000)}`);
      if (performance.now() - began > PATIENCE_MS)
        throw new Error(`${candidate.name} did not answer: ${errors.slice(-1000)}`);
      const ok = await fetch(`http://127.0.0.1:${ports[0]}/hub/health`).then(
        (answer) => answer.ok,
        () => false,
      );
      if (ok) return performance.now() - began;
      await new Promise((done) => setTimeout(done, 10));
    }
  } finally {
    const closed = new Promise((done) => child.once("close", done));
    if (child.pid !== undefined) process.kill(-child.pid, "SIGTERM");
    await Promise.race([closed, new Promise((done) => setTimeout(done, 8000))]);
    if (child.exitCode === null && child.signalCode === null && child.pid !== undefined)
      process.kill(-child.pid, "SIGKILL");
    endServersOf(`http://127.0.0.1:${ports[1]}`);
    rmSync(dir, { recursive: true, force: true, maxRetries: 5 });
  }
}

export interface ColdStart {
  readonly name: string;
  readonly medianMs: number;
  readonly runsMs: readonly number[];
}

const median = (values: readonly number[]): number =>
  [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;

/** Both hubs, interleaved on the same machine; the first run of each, which fills disk caches, does not count. */
export async function coldStarts(runs: number): Promise<{ ours: ColdStart; theirs: ColdStart }> {
  const times = { ours: [] as number[], theirs: [] as number[] };
  for (let run = 0; run <= runs; run++) {
    const pair = { ours: await once(elara), theirs: await once(jupyterhub) };
    if (run === 0) continue;
    times.ours.push(Math.round(pair.ours));
    times.theirs.push(Math.round(pair.theirs));
  }
  return {
    ours: { name: elara.name, medianMs: median(times.ours), runsMs: times.ours },
    theirs: { name: jupyterhub.name, medianMs: median(times.theirs), runsMs: times.theirs },
  };
}
