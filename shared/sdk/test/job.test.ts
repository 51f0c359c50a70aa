import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { createHash, randomBytes } from "node:crypto";
import { access, mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { homedir, tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { describe, type TestContext, test } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import { deskCommand, type JobOrder, readExit, readState } from "../launcher/index.ts";
import { newTag, standInCommand } from "../src/testing/index.ts";

/** The folder of a job as the desk leaves it, and a way to run the job without a batch system. */
async function job(t: TestContext, argv: readonly string[] = standInCommand()) {
  const folder = await mkdtemp(join(tmpdir(), "elara-job-"));
  t.after(() => rm(folder, { recursive: true, force: true, maxRetries: 5 }));
  const tag = newTag();
  const secret = randomBytes(8).toString("hex");
  const order: JobOrder = {
    ...{ tag, argv, env: { JUPYTERHUB_API_TOKEN: secret }, servicePrefix: "/user/ada/" },
    ...{ host: "127.0.0.1", portRange: [20_000, 29_999], portRestSeconds: 0, logBytes: 65_536 },
  };
  const nowhere = { runDir: "/", minUid: 0, seconds: 1, commandSeconds: 1, environment: {} };
  const { stdin } = await deskCommand("python3", { ...nowhere, action: "records", tags: [] });
  const program: string = JSON.parse(stdin.slice(0, stdin.indexOf("\n")));
  await writeFile(join(folder, "launch.py"), program);
  await writeFile(
    join(folder, "launch.json"),
    JSON.stringify({ action: "job", tag, jobIdVariable: "SLURM_JOB_ID" }),
  );
  await writeFile(join(folder, "order.json"), JSON.stringify(order), { mode: 0o600 });
  const running: ChildProcess[] = [];
  t.after(() => {
    for (const child of running) child.kill("SIGKILL");
  });
  return {
    folder,
    digest: createHash("sha256").update(secret).digest("hex"),
    /** As the job script does it. */
    run(jobId: string) {
      const child = spawn("/bin/sh", ["-c", "exec python3 -I -S ./launch.py < ./launch.json"], {
        cwd: folder,
        env: { PATH: process.env.PATH, SLURM_JOB_ID: jobId, SITE: "of the job" },
        stdio: ["ignore", "pipe", "inherit"],
      });
      running.push(child);
      const code = new Promise<number | null>((done) => child.once("exit", done));
      return { child, code, output: child.stdout ? text(child.stdout) : Promise.resolve("") };
    },
    async url(): Promise<string> {
      for (let attempt = 0; attempt < 400; attempt += 1) {
        const state = await readState(folder);
        if (state?.phase === "running" && state.url) return state.url;
        await pause(50);
      }
      return assert.fail("it never ran");
    },
  };
}

const isThere = (file: string) =>
  access(file).then(
    () => true,
    () => false,
  );

describe("the launcher in a job", () => {
  test("stays in the foreground, takes the secrets away, says where it runs, ends when asked", async (t) => {
    const { folder, run, url, digest } = await job(t);
    const { child, code, output } = run("41");
    const address = await url();
    const answer = await fetch(`${address}/user/ada/`);
    const { tokenDigest, cwd } = (await answer.json()) as { tokenDigest: string; cwd: string };
    assert.equal(tokenDigest, digest);
    assert.equal(cwd, homedir(), "people work in their home");
    assert.ok(!(await isThere(join(folder, "order.json"))), "the order with its secrets is gone");
    const state = JSON.parse(await readFile(join(folder, "state.json"), "utf8"));
    assert.deepEqual([state.jobId, state.launcher.pid], ["41", child.pid]);
    const environment = await readFile(`/proc/${state.child.pid}/environ`, "utf8");
    assert.ok(environment.includes("SITE=of the job"), "modules the script loaded count");
    for (const name of ["claim", "state.json", "log"])
      assert.equal((await stat(join(folder, name))).mode & 0o777, 0o600, name);

    child.kill("SIGTERM");
    assert.equal(await code, 0);
    assert.match(await output, /^ended: /);
    assert.equal((await readExit(folder))?.cause, "stopped");
    await assert.rejects(fetch(address));
  });

  test("another job of the same server goes away without a trace", async (t) => {
    const { folder, run, url } = await job(t);
    run("41");
    const address = await url();
    const before = await readFile(join(folder, "state.json"), "utf8");
    const second = run("42");
    assert.equal(await second.code, 0);
    assert.equal(await second.output, "job 41 is this server; nothing to do\n");
    assert.equal(await readFile(join(folder, "state.json"), "utf8"), before);
    assert.equal(await readExit(folder), undefined);
    assert.ok((await fetch(`${address}/user/ada/`)).ok);
  });

  test("the same job run again starts nothing: its server may live, its secrets are gone", async (t) => {
    const { folder, run, url } = await job(t);
    run("41");
    const address = await url();
    assert.equal(await run("41").code, 1);
    assert.equal((await readExit(folder))?.code, "RUN_AGAIN");
    assert.ok((await fetch(`${address}/user/ada/`)).ok);
  });

  test("many at one moment: one of them is the server", async (t) => {
    const { folder, run, url } = await job(t);
    const jobs = ["1", "2", "3", "4", "5", "6"].map(run);
    await url();
    const { jobId } = JSON.parse(await readFile(join(folder, "claim"), "utf8"));
    const others = jobs.filter((_, at) => String(at + 1) !== jobId);
    assert.deepEqual(await Promise.all(others.map(({ code }) => code)), [0, 0, 0, 0, 0]);
    assert.equal(await readExit(folder), undefined);
  });

  test("a file system without hard links: one of many is the server all the same", async (t) => {
    const { folder, run, url } = await job(t);
    const refused =
      "import os\ndef refused(*given):\n    raise PermissionError(1, 'no links')\nos.link = refused\n";
    const file = join(folder, "launch.py");
    await writeFile(file, refused + (await readFile(file, "utf8")));
    const jobs = ["1", "2", "3", "4"].map(run);
    await url();
    const { jobId } = JSON.parse(await readFile(join(folder, "claim"), "utf8"));
    const others = jobs.filter((_, at) => String(at + 1) !== jobId);
    assert.deepEqual(await Promise.all(others.map(({ code }) => code)), [0, 0, 0]);
    assert.equal(await readExit(folder), undefined);
  });

  test("an end that somebody wrote while it runs is replaced by the true one", async (t) => {
    const { folder, run, url } = await job(t);
    const { child, code } = run("41");
    await url();
    await writeFile(join(folder, "exit.json"), "[]");
    child.kill("SIGTERM");
    assert.equal(await code, 0);
    assert.equal((await readExit(folder))?.cause, "stopped");
  });

  test("taken back before it began, it says so", async (t) => {
    const { folder, run } = await job(t);
    await rm(join(folder, "order.json"));
    assert.equal(await run("41").code, 1);
    assert.equal((await readExit(folder))?.code, "ORDER_MISSING");
  });

  test("killed, it takes its server along", async (t) => {
    const { run, url } = await job(t, standInCommand("--stubborn"));
    const { child, code } = run("41");
    const address = await url();
    child.kill("SIGKILL");
    await code;
    let isUp = true;
    for (let attempt = 0; isUp && attempt < 100; attempt += 1) {
      isUp = await fetch(address).then(
        () => true,
        () => false,
      );
      if (isUp) await pause(50);
    }
    assert.ok(!isUp, "nobody would look after it");
  });

  test("has the exit code of its server, and names a command that is not there", async (t) => {
    const exits = await job(t, standInCommand("--exit", "7"));
    assert.equal(await exits.run("41").code, 7);
    const missing = await job(t, ["/nonexistent/command"]);
    assert.equal(await missing.run("41").code, 1);
    assert.equal((await readExit(missing.folder))?.code, "COMMAND_NOT_FOUND");
  });
});
