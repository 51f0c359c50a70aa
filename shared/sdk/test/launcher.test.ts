import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { type TestContext, test } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import {
  bootId,
  isAlive,
  type LaunchAnswer,
  launcherProgram,
  parseAnswer,
  readExit,
  readState,
  runLauncher,
  type StartOrder,
  startOf,
} from "../launcher/index.ts";
import { newTag, standInCommand } from "../src/testing/index.ts";

const PYTHON = "/usr/bin/python3";

/** An order to start the stand-in; what it starts is killed and forgotten after the test. */
async function order(
  t: TestContext,
  flags: string[] = [],
  change: Partial<StartOrder> = {},
): Promise<StartOrder> {
  const runDir = await mkdtemp(join(tmpdir(), "elara-run-"));
  const start: StartOrder = {
    action: "start",
    runDir,
    tag: newTag(),
    argv: standInCommand(...flags),
    env: { PATH: process.env.PATH ?? "", JUPYTERHUB_API_TOKEN: "secret" },
    servicePrefix: "/user/ada/",
    host: "127.0.0.1",
    portRange: [20_000, 29_999],
    portRestSeconds: 120,
    logBytes: 65_536,
    ...change,
  };
  t.after(async () => {
    await runLauncher(PYTHON, { action: "stop", runDir, tag: start.tag, graceSeconds: 0 });
    await ended(join(runDir, start.tag));
    await runLauncher(PYTHON, { action: "cleanup", runDir, tag: start.tag });
    await rm(runDir, { recursive: true, force: true });
  });
  return start;
}

async function ended(dir: string) {
  for (let wait = 0; wait < 400; wait += 1) {
    const exit = await readExit(dir);
    if (exit || !(await readState(dir))) return exit;
    await pause(25);
  }
  return assert.fail("no exit.json within 10 s");
}

function started(answer: LaunchAnswer) {
  assert.ok(answer.ok && answer.state?.child && answer.exit === null, JSON.stringify(answer));
  return { ...answer.state, child: answer.state.child, claimed: answer.claimed };
}

test("six calls at once for one tag: one starts it, all report it", async (t) => {
  const start = await order(t);
  const answers = await Promise.all(Array.from({ length: 6 }, () => runLauncher(PYTHON, start)));
  const reports = answers.map(started);
  assert.equal(reports.filter(({ claimed }) => claimed).length, 1);
  assert.equal(new Set(reports.map(({ child }) => child.pid)).size, 1);
});

test("a server ends on TERM to its launcher, and the way it ended is written down", async (t) => {
  const start = await order(t);
  const { launcher, child } = started(await runLauncher(PYTHON, start));
  assert.ok(isAlive(child, bootId()) && isAlive(launcher, bootId()));
  assert.ok(!isAlive(child, "another boot"));
  process.kill(launcher.pid, "SIGTERM");
  const exit = await ended(join(start.runDir, start.tag));
  assert.equal(exit?.cause, "stopped");
  assert.equal(startOf(child.pid), undefined);
});

test("what ends by itself is written down with its code; a start of the same tag reports it and starts nothing", async (t) => {
  const start = await order(t, ["--exit", "9"]);
  await runLauncher(PYTHON, start);
  const exit = await ended(join(start.runDir, start.tag));
  assert.deepEqual([exit?.cause, exit?.exitCode, exit?.signal], ["exited", 9, null]);
  const again = await runLauncher(PYTHON, start);
  assert.ok(again.ok && again.claimed === false && again.exit?.exitCode === 9);
});

test("a stop that comes before the start is kept: nothing is started", async (t) => {
  const start = await order(t);
  const { runDir, tag } = start;
  const dir = join(runDir, tag);
  await mkdir(dir, { mode: 0o700 });
  await runLauncher(PYTHON, { action: "stop", runDir, tag, graceSeconds: 5 });
  const answer = await runLauncher(PYTHON, start);
  assert.ok(answer.ok && answer.exit?.code === "CANCELLED", JSON.stringify(answer));
});

test("a log relay that was killed is replaced, and no line breaks the server", async (t) => {
  const start = await order(t);
  const { launcher, child } = started(await runLauncher(PYTHON, start));
  const children = await readFile(`/proc/${launcher.pid}/task/${launcher.pid}/children`, "utf8");
  const relay = children
    .trim()
    .split(" ")
    .map(Number)
    .find((pid) => pid !== child.pid);
  assert.ok(relay);
  process.kill(relay, "SIGKILL");
  const replaced = async () => {
    const now = await readFile(`/proc/${launcher.pid}/task/${launcher.pid}/children`, "utf8");
    return now
      .trim()
      .split(" ")
      .some((pid) => Number(pid) !== child.pid && Number(pid) !== relay);
  };
  for (let wait = 0; !(await replaced()); wait += 1) {
    assert.ok(wait < 400, "the relay is not replaced");
    await pause(25);
  }
  assert.ok(isAlive(child, bootId()));
});

test("the launcher as one file does the same: this is what is sent to other machines", async (t) => {
  const start = await order(t);
  const file = join(start.runDir, "elara-launch.py");
  await writeFile(file, await launcherProgram());
  const child = spawn(PYTHON, ["-I", "-S", file], { env: {}, cwd: "/" });
  child.stdin.end(JSON.stringify(start));
  const [stdout, stderr] = await Promise.all([text(child.stdout), text(child.stderr)]);
  assert.equal(started(parseAnswer(stdout, stderr)).tag, start.tag);
  assert.equal(stderr, "");
});

test("a malformed order is refused by name", async () => {
  const base = { action: "stop", graceSeconds: 1 } as const;
  for (const bad of [
    { runDir: "relative", tag: newTag() },
    { runDir: "/tmp", tag: "../../etc" },
  ])
    assert.deepEqual((await runLauncher(PYTHON, { ...base, ...bad })).ok, false);
  await assert.rejects(runLauncher("/nonexistent/python", { ...base, runDir: "/tmp", tag: newTag() }));
});
