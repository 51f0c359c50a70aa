import assert from "node:assert/strict";
import { execFile, execFileSync, spawn } from "node:child_process";
import { mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { describe, type TestContext, test } from "node:test";
import { promisify } from "node:util";
import {
  bootId,
  type LogOrder,
  LookAnswer,
  type LookOrder,
  logLines,
  readAnswer,
  readExit,
  readLog,
  readState,
  remoteLauncher,
} from "../launcher/index.ts";
import { newTag } from "../src/testing/index.ts";

const PYTHON = "/usr/bin/python3";
const LAUNCHER = new URL("../launcher/", import.meta.url).pathname;
const who = { pid: process.pid, start: 1 };

const stateOf = (tag: string) => ({
  ...{ v: 1, tag, phase: "running", bootId: bootId(), startedAt: "2026-01-01T00:00:00.000Z" },
  ...{ launcher: who, child: who, uid: 0, host: "127.0.0.1", port: 20_000, url: "http://127.0.0.1:20000" },
});
const exitOf = (tag: string) => ({
  ...{ v: 1, tag, cause: "exited", exitCode: 0, signal: null, at: "", code: null, message: "" },
});

/** What a user can put in place of a record. */
const FORGERIES: Readonly<Record<string, (file: string, record: object) => Promise<void> | void>> = {
  "a FIFO": (file) => void execFileSync("mkfifo", [file]),
  "a link": async (file, record) => {
    await writeFile(`${file}.real`, JSON.stringify(record));
    await symlink(`${file}.real`, file);
  },
  "a folder": (file) => mkdir(file),
  "a record of a megabyte": (file, record) => writeFile(file, JSON.stringify(record).padEnd(1 << 20)),
  "deep nesting": (file) => writeFile(file, "[".repeat(60_000)),
  "a list": (file) => writeFile(file, "[1]"),
  "a word": (file) => writeFile(file, '"running"'),
  "a record without fields": (file) => writeFile(file, "{}"),
  "no text": (file) => writeFile(file, Buffer.from([0xff, 0xfe, 0x00])),
  "a number that is none": (file, record) =>
    writeFile(file, JSON.stringify({ ...record, v: "V" }).replace('"V"', "NaN")),
  "a truth value as a pid": (file, record) =>
    writeFile(file, JSON.stringify({ ...record, v: true, child: { pid: true, start: true } })),
  "a text of 10,000 characters": (file, record) =>
    writeFile(file, JSON.stringify({ ...record, bootId: "x".repeat(10_000), message: "x".repeat(10_000) })),
};

/** A folder of claims with one whole server and one whose record of this name is forged. */
async function two(t: TestContext, name: "state.json" | "exit.json", forge: (typeof FORGERIES)[string]) {
  const runDir = await mkdtemp(join(tmpdir(), "elara-forged-"));
  t.after(() => rm(runDir, { recursive: true, force: true }));
  const [whole, forged] = [newTag(), newTag()];
  const of = name === "state.json" ? stateOf : exitOf;
  for (const tag of [whole, forged]) await mkdir(join(runDir, tag));
  await writeFile(join(runDir, whole, name), JSON.stringify(of(whole)));
  await forge(join(runDir, forged, name), of(forged));
  return { runDir, whole, forged };
}

/** The answer of the launcher as another machine would give it; it has five seconds. */
async function remotely(order: LookOrder | LogOrder) {
  const { argv, stdin } = await remoteLauncher(PYTHON, order);
  const child = spawn(argv[0] ?? "", argv.slice(1), {
    env: {},
    cwd: "/",
    timeout: 5000,
    killSignal: "SIGKILL",
  });
  child.stdin.end(stdin);
  const [stdout, stderr] = await Promise.all([text(child.stdout), text(child.stderr)]);
  return { stdout, stderr };
}

/** Runs lines of Python with the launcher's parts at hand. */
const python = async (script: string, ...args: string[]): Promise<string> => {
  const begin = `import sys; sys.dont_write_bytecode = True; sys.path.insert(0, ${JSON.stringify(LAUNCHER)})\n`;
  const { stdout } = await promisify(execFile)(PYTHON, ["-I", "-S", "-c", begin + script, ...args], {
    timeout: 10_000,
  });
  return stdout.trim();
};

describe("a record that is none", () => {
  for (const [what, forge] of Object.entries(FORGERIES))
    test(`${what}: it counts as absent, and others are looked at`, { timeout: 30_000 }, async (t) => {
      for (const name of ["state.json", "exit.json"] as const) {
        const { runDir, whole, forged } = await two(t, name, forge);
        const { stdout, stderr } = await remotely({ action: "look", runDir, tags: [forged, whole] });
        const answer = readAnswer(LookAnswer, stdout, stderr);
        assert.ok(answer.ok, JSON.stringify(answer));
        const field = name === "state.json" ? "state" : "exit";
        assert.equal(answer.servers[forged]?.[field], null);
        assert.equal(answer.servers[whole]?.[field]?.tag, whole);
        const read = name === "state.json" ? readState : readExit;
        assert.equal((await read(join(runDir, whole)))?.tag, whole);
        assert.equal(await read(join(runDir, forged)), undefined);
      }
    });

  test("beyond its fields nothing of it is told: an infinite number would break the answer for all", async (t) => {
    const { runDir, whole, forged } = await two(t, "state.json", (file, record) =>
      writeFile(file, JSON.stringify({ ...record, more: "M" }).replace('"M"', "1e999")),
    );
    const { stdout, stderr } = await remotely({ action: "look", runDir, tags: [forged, whole] });
    const answer = readAnswer(LookAnswer, stdout, stderr);
    assert.ok(answer.ok, stdout);
    assert.equal(answer.servers[forged]?.state?.tag, forged);
  });

  test("a draft that is a FIFO does not hold up who writes a record", { timeout: 30_000 }, async (t) => {
    const folder = await mkdtemp(join(tmpdir(), "elara-forged-"));
    t.after(() => rm(folder, { recursive: true, force: true }));
    const script = `
import os
from records import load, save
os.mkfifo(sys.argv[1] + "/stop.%d" % os.getpid())
save(sys.argv[1], "stop", {"graceSeconds": 1, "at": ""})
print(load(sys.argv[1], "stop"))`;
    assert.equal(await python(script, folder), "{'graceSeconds': 1, 'at': ''}");
  });
});

describe("a log", () => {
  /** The last two lines of it, read here and as another machine reads them. */
  async function linesOf(t: TestContext, make: (file: string) => Promise<void> | void, count = 2) {
    const runDir = await mkdtemp(join(tmpdir(), "elara-log-"));
    t.after(() => rm(runDir, { recursive: true, force: true }));
    const tag = newTag();
    await mkdir(join(runDir, tag));
    await make(join(runDir, tag, "log"));
    const { stdout } = await remotely({ action: "log", runDir, tag, lines: count });
    const answer: { lines: string[] } = JSON.parse(stdout || '{"lines":["no answer"]}');
    const here = await readLog(join(runDir, tag), count);
    assert.deepEqual(here, answer.lines, "both read the same");
    return here;
  }

  test("that is a FIFO has no lines", { timeout: 30_000 }, async (t) => {
    assert.deepEqual(await linesOf(t, (file) => void execFileSync("mkfifo", [file])), []);
  });

  test("of one endless line is cut", async (t) => {
    const lines = await linesOf(t, (file) => writeFile(file, `${"x".repeat(3_000_000)}\nlast\n`));
    assert.deepEqual(lines, ["x".repeat(4096), "last"]);
  });

  test("of many lines has its last ones, whole", async (t) => {
    const all = Array.from({ length: 50_000 }, (_, at) => `line ${at} ☃`);
    const lines = await linesOf(t, (file) => writeFile(file, `${all.join("\n")}\n`), 3);
    assert.deepEqual(lines, all.slice(-3));
    assert.deepEqual(await linesOf(t, (file) => writeFile(file, "a\n\nb"), 9), ["a", "", "b"]);
    assert.deepEqual(await linesOf(t, (file) => writeFile(file, "a\n"), 0), []);
  });

  test("from another machine is cut once more: who writes there may have written the answer", () => {
    assert.deepEqual(logLines(["a", "x".repeat(9000), "b\u0000\u001b[2Jc\td"], 2), [
      "x".repeat(4096),
      "b [2Jc\td",
    ]);
  });
});

describe("the folder of resting ports on a node", () => {
  const ask = `
import os, job
print(job.ports_folder("own", sys.argv[1]) == sys.argv[1] + "/.elara-%d" % os.getuid())`;
  const place = async (t: TestContext) => {
    const at = await mkdtemp(join(tmpdir(), "elara-tmp-"));
    t.after(() => rm(at, { recursive: true, force: true }));
    return { at, path: join(at, `.elara-${process.getuid?.()}`) };
  };

  test("is used when it is the account's own and nobody else's", async (t) => {
    const { at } = await place(t);
    assert.equal(await python(ask, at), "True");
    assert.equal(await python(ask, at), "True", "the second time it is there");
  });

  test("is left alone when it is open to others, or a link", async (t) => {
    const open = await place(t);
    await mkdir(open.path);
    execFileSync("chmod", ["755", open.path]);
    assert.equal(await python(ask, open.at), "False");
    const link = await place(t);
    await mkdir(join(link.at, "real"), { mode: 0o700 });
    await symlink(join(link.at, "real"), link.path);
    assert.equal(await python(ask, link.at), "False");
  });

  test("keeps no records of ports that rest no more", async (t) => {
    const { at } = await place(t);
    const script = `
import os
from ports import note_port, pick_port
from records import save
run = sys.argv[1]
os.mkdir(run + "/ports")
for port in range(20000, 20050):
    save(run + "/ports", str(port), {"tag": "x", "boot": "former", "at": 1, "time": 1})
note_port(run, 20100, "rests")
print(pick_port(run, "mine", "127.0.0.1", 29000, 29999, 120))`;
    const port = await python(script, at);
    assert.deepEqual((await readdir(join(at, "ports"))).sort(), ["20100", port, "lock"].sort());
    assert.match(await readFile(join(at, "ports", port), "utf8"), /mine/);
  });
});
