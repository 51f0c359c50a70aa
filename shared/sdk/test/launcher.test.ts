import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir, userInfo } from "node:os";
import { join, relative } from "node:path";
import { text } from "node:stream/consumers";
import { type TestContext, test } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import {
  bootId,
  isAlive,
  LaunchAnswer,
  LogAnswer,
  LookAnswer,
  readAnswer,
  readExit,
  readState,
  remoteLauncher,
  runLauncher,
  startOf,
} from "../launcher/index.ts";
import { launcherProgram } from "../launcher/program.ts";
import type { StartOrder } from "../launcher/run.ts";
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

async function until(isSo: () => boolean | Promise<boolean>): Promise<void> {
  for (let wait = 0; !(await isSo()); wait += 1) {
    assert.ok(wait < 400, "not within 10 s");
    await pause(25);
  }
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

test("a server has the mask it was ordered, or 022; that of the hub stays the hub's", async (t) => {
  const mask = process.umask(0o077);
  t.after(() => process.umask(mask));
  for (const [change, expected] of [
    [{}, "0022"],
    [{ umask: "027" }, "0027"],
  ] as const) {
    const { child } = started(await runLauncher(PYTHON, await order(t, [], change)));
    const status = await readFile(`/proc/${child.pid}/status`, "utf8");
    assert.equal(/^Umask:\s+(\d+)$/m.exec(status)?.[1], expected);
  }
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
  await until(replaced);
  assert.ok(isAlive(child, bootId()));
});

test("a server whose folder was removed can print on", async (t) => {
  const script = 'until [ ! -d "$1" ]; do sleep 0.05; done; head -c 400000 /dev/zero; exec sleep 60';
  const start = await order(t);
  const dir = join(start.runDir, start.tag);
  const { child } = started(await runLauncher(PYTHON, { ...start, argv: ["sh", "-c", script, "sh", dir] }));
  await rm(dir, { recursive: true });
  await until(async () => (await readFile(`/proc/${child.pid}/cmdline`, "utf8")).startsWith("sleep"));
});

test("the launcher as one file does the same: this is what is sent to other machines", async (t) => {
  const start = await order(t);
  const file = join(start.runDir, "elara-launch.py");
  await writeFile(file, await launcherProgram());
  const child = spawn(PYTHON, ["-I", "-S", file], { env: {}, cwd: "/" });
  child.stdin.end(JSON.stringify(start));
  const [stdout, stderr] = await Promise.all([text(child.stdout), text(child.stderr)]);
  assert.equal(started(readAnswer(LaunchAnswer, stdout, stderr)).tag, start.tag);
  assert.equal(stderr, "");
});

/** Carries out an order as another machine does. */
async function remotely(order: Parameters<typeof remoteLauncher>[1], env: NodeJS.ProcessEnv = {}) {
  const { argv, stdin } = await remoteLauncher(PYTHON, order);
  const child = spawn(argv[0] ?? "", argv.slice(1), { env, cwd: "/" });
  child.stdin.on("error", () => {});
  child.stdin.end(stdin);
  const [stdout, stderr] = await Promise.all([text(child.stdout), text(child.stderr)]);
  return { stdout, stderr };
}

test("sent over with its order, it needs no file: start, look, log, stop", async (t) => {
  const start = await order(t, ["--print", "3"], { env: { PATH: process.env.PATH ?? "", WORD: "naïve ☃" } });
  const { runDir, tag } = start;
  const first = await remotely(start);
  const { child } = started(readAnswer(LaunchAnswer, first.stdout, first.stderr));
  const lookAt = async (tags: string[]) => {
    const { stdout, stderr } = await remotely({ action: "look", runDir, tags });
    const answer = readAnswer(LookAnswer, stdout, stderr);
    assert.ok(answer.ok, stderr);
    return answer;
  };
  const nobody = newTag();
  const seen = await lookAt([tag, nobody]);
  assert.deepEqual([seen.bootId, seen.runDir], [bootId(), true]);
  assert.deepEqual(seen.servers[nobody], {
    claimed: false,
    state: null,
    exit: null,
    alive: false,
    attended: false,
    stray: false,
  });
  const mine = seen.servers[tag];
  assert.deepEqual([mine?.claimed, mine?.alive, mine?.attended, mine?.exit], [true, true, true, null]);
  assert.deepEqual(mine?.state?.child, child);

  const tail = async (lines: number) => {
    const { stdout, stderr } = await remotely({ action: "log", runDir, tag, lines });
    const answer = readAnswer(LogAnswer, stdout, stderr);
    assert.ok(answer.ok, stderr);
    return answer.lines;
  };
  await until(async () => (await tail(9)).length === 4);
  assert.deepEqual(
    (await tail(2)).map((line) => line.slice(0, 7)),
    ["line 2 ", "line 3 "],
  );
  assert.deepEqual(await tail(0), []);

  await remotely({ action: "stop", runDir, tag, graceSeconds: 2 });
  await ended(join(runDir, tag));
  const after = (await lookAt([tag])).servers[tag];
  assert.deepEqual([after?.alive, after?.exit?.cause], [false, "stopped"]);
});

test("a look tells a killed server and its launcher, and a record of another boot, from living ones", async (t) => {
  const start = await order(t);
  const { runDir, tag } = start;
  const { launcher, child } = started(await runLauncher(PYTHON, start));
  const seen = async () => {
    const { stdout, stderr } = await remotely({ action: "look", runDir, tags: [tag] });
    const answer = readAnswer(LookAnswer, stdout, stderr);
    const mine = answer.ok ? answer.servers[tag] : undefined;
    return [mine?.alive, mine?.attended, mine?.exit];
  };
  process.kill(launcher.pid, "SIGKILL");
  await until(() => startOf(launcher.pid) === undefined);
  assert.deepEqual(await seen(), [true, false, null]);
  const file = join(runDir, tag, "state.json");
  const record = await readFile(file, "utf8");
  await writeFile(file, record.replace(bootId(), "another-boot"));
  assert.deepEqual(await seen(), [false, false, null]);
  await writeFile(file, record);
  process.kill(child.pid, "SIGKILL");
  await until(() => startOf(child.pid) === undefined);
  assert.deepEqual(await seen(), [false, false, null]);
});

test("what start-up files print before the answer does no harm", () => {
  const answer = { ok: true, lines: ["a"] };
  assert.deepEqual(readAnswer(LogAnswer, `Welcome!\n{}\n${JSON.stringify(answer)}`, ""), answer);
  assert.deepEqual(readAnswer(LogAnswer, "Welcome!\n", "no python\n"), {
    ok: false,
    code: "LAUNCHER_FAILED",
    message: "no python",
  });
});

test("~/ is the home of the account that runs it, whatever its environment says", async (t) => {
  const home = userInfo().homedir;
  const runDir = await mkdtemp(join(home, ".elara-run-"));
  t.after(() => rm(runDir, { recursive: true, force: true }));
  const tag = newTag();
  await mkdir(join(runDir, tag));
  const look = { action: "look", runDir: `~/${relative(home, runDir)}`, tags: [tag] } as const;
  const { stdout, stderr } = await remotely(look, { HOME: "/nonexistent" });
  const answer = readAnswer(LookAnswer, stdout, stderr);
  assert.ok(answer.ok && answer.runDir && answer.servers[tag]?.claimed, stdout);
});

test("as its own account: its name, home and shell, and its home as working folder", async (t) => {
  const { username, homedir } = userInfo();
  const start = await order(t, [], { ownAccount: true });
  started(await runLauncher(PYTHON, start));
  const dir = join(start.runDir, start.tag);
  await until(async () => (await readState(dir))?.phase === "running");
  const facts: unknown = await (await fetch(`${(await readState(dir))?.url}/user/ada/`)).json();
  assert.ok(typeof facts === "object" && facts && "user" in facts && "home" in facts && "cwd" in facts);
  assert.deepEqual([facts.user, facts.home, facts.cwd], [username, homedir, homedir]);
});

test("accounts below minUid are refused, whatever is asked", async (t) => {
  const start = await order(t, [], { ownAccount: true, minUid: 2 ** 31 });
  const { runDir, tag, minUid } = start;
  for (const asked of [start, { action: "look", runDir, minUid: minUid ?? 0, tags: [tag] } as const]) {
    const { stdout, stderr } = await remotely(asked);
    const answer = readAnswer(LookAnswer, stdout, stderr);
    assert.ok(!answer.ok && answer.code === "ACCOUNT_REFUSED", stdout);
  }
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

test("a server that a real-time signal without a name ends has an end", async (t) => {
  const start = await order(t);
  const { child } = started(await runLauncher(PYTHON, start));
  // Node knows no real-time signals.
  spawn("/bin/kill", ["-40", String(child.pid)]);
  const exit = await ended(join(start.runDir, start.tag));
  assert.equal(exit?.cause, "signalled");
  assert.equal(exit?.signal, "SIGRTMIN+6");
});

test("a folder that the account made among the records goes with them", async (t) => {
  const start = await order(t, ["--exit", "0"]);
  await runLauncher(PYTHON, start);
  const folder = join(start.runDir, start.tag);
  await ended(folder);
  await mkdir(join(folder, "mine", "more"), { recursive: true });
  const answer = await runLauncher(PYTHON, { action: "cleanup", runDir: start.runDir, tag: start.tag });
  assert.ok(answer.ok, JSON.stringify(answer));
  assert.deepEqual(
    (await readdir(start.runDir)).filter((name) => name.includes(start.tag)),
    [],
  );
});
