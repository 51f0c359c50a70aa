import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { randomBytes, randomInt } from "node:crypto";
import { readFileSync } from "node:fs";
import { createServer } from "node:net";
import { describe, test } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import { type SshBed, sshMissing } from "@elara/beds/ssh";
import { sshOf, target, theBed } from "./fixtures/bed.ts";

const skip = sshMissing();
const deadlineMs = 20_000;

/** How many log-ins the host has seen. */
const logins = (bed: SshBed, host: string): number => bed.log(host).split("Accepted publickey").length - 1;

const PIECES = [
  "'",
  '"',
  "\\",
  "\n",
  "\r",
  "\t",
  "$(id)",
  "`id`",
  "$HOME",
  "!",
  "!!",
  "*",
  "~",
  "%",
  ";",
  "&",
  "|",
  "<",
  ">",
  "#",
  "{a,b}",
  "[a]",
  "?",
  "=",
  "-n",
  " ",
  "é",
  "𝕏",
  "\u202e",
  "\u0007",
  "\x7f",
  "\u0080",
  "ﬃ",
  "\\'",
  "'\\''",
  "$'a'",
  "^",
  "\u2028",
];
const randomText = (): string => {
  const text = Array.from({ length: randomInt(12) }, () =>
    randomInt(3) > 0 ? (PIECES[randomInt(PIECES.length)] ?? "") : randomBytes(2).toString("latin1"),
  ).join("");
  return text.replaceAll("\0", "");
};

describe("a command on another machine", { skip }, () => {
  test("3,000 hostile texts arrive as one argument each, and on stdin", async (t) => {
    const ssh = await sshOf(t);
    const to = target(await theBed());
    for (let round = 0; round < 30; round += 1) {
      const texts = Array.from({ length: 100 }, randomText);
      const print = `import sys, json; print(json.dumps([sys.argv[1:], sys.stdin.buffer.read().decode()]))`;
      const argv = ["python3", "-c", print, ...texts];
      const stdin = texts.join("\0");
      const { stdout, stderr, exitCode } = await ssh.run(to, { argv, stdin, deadlineMs });
      assert.equal(exitCode, 0, stderr);
      assert.deepEqual(JSON.parse(stdout), [texts, stdin]);
    }
  });

  test("says how it ended and what it wrote", async (t) => {
    const ssh = await sshOf(t);
    const to = target(await theBed());
    const run = (script: string) => ssh.run(to, { argv: ["sh", "-c", script], deadlineMs });
    assert.deepEqual(await run("echo out; echo err >&2; exit 7"), {
      exitCode: 7,
      stdout: "out\n",
      stderr: "err\n",
    });
    assert.equal((await run("kill -9 $$")).exitCode, -1);
    assert.equal((await ssh.run(to, { argv: ["elara-no-such-command"], deadlineMs })).exitCode, 127);
    assert.equal((await run("printf '\\377'")).stdout, "\ufffd", "what is no UTF-8 is repaired");
  });

  test("40 at once share one log-in", async (t) => {
    const bed = await theBed();
    const ssh = await sshOf(t);
    const to = target(bed, 0, 1);
    const before = logins(bed, to.host);
    const run = (at: number) => ssh.run(to, { argv: ["echo", String(at)], deadlineMs });
    const results = await Promise.all(Array.from({ length: 40 }, (_, at) => run(at)));
    assert.deepEqual(
      results.map(({ stdout }) => Number(stdout)),
      results.map((_, at) => at),
    );
    assert.equal(logins(bed, to.host) - before, 1);
  });

  test("an idle connection is closed, the next command opens another", async (t) => {
    const bed = await theBed();
    const ssh = await sshOf(t, { idleSeconds: 0.05 });
    const to = target(bed, 0, 1);
    const before = logins(bed, to.host);
    const mine = () =>
      execFileSync("ps", ["-eo", "args"], { encoding: "utf8" }).includes(`sshd: ${to.account}@notty`);
    await ssh.run(to, { argv: ["true"], deadlineMs });
    const end = performance.now() + 10_000;
    while (mine()) {
      assert.ok(performance.now() < end, "the connection stays although nobody uses it");
      await pause(20);
    }
    await ssh.run(to, { argv: ["true"], deadlineMs });
    assert.equal(logins(bed, to.host) - before, 2);
  });

  test("one that takes too long, or is cancelled, is given up; the others go on", async (t) => {
    const ssh = await sshOf(t);
    const to = target(await theBed());
    const slow = { argv: ["sleep", "30"], deadlineMs: 300 };
    await assert.rejects(ssh.run(to, slow), { name: "SshError", fault: "deadline" });
    const cancel = new AbortController();
    const cancelled = ssh.run(to, { ...slow, deadlineMs, signal: cancel.signal });
    const other = ssh.run(to, { argv: ["sh", "-c", "sleep 0.5; echo done"], deadlineMs });
    cancel.abort(new Error("not wanted any more"));
    await assert.rejects(cancelled, /not wanted any more/);
    assert.equal((await other).stdout, "done\n");
    await assert.rejects(
      ssh.run(to, { argv: ["true"], deadlineMs, signal: AbortSignal.abort(new Error("before")) }),
      /before/,
    );
  });

  test("more than 4 MiB of output is refused", async (t) => {
    const ssh = await sshOf(t);
    const to = target(await theBed());
    await assert.rejects(ssh.run(to, { argv: ["yes"], deadlineMs }), { fault: "output" });
    const most = await ssh.run(to, { argv: ["head", "-c", "4000000", "/dev/zero"], deadlineMs });
    assert.equal(most.stdout.length, 4_000_000);
  });

  test("a connection that died is replaced; a command on it is told as not known, not as ended", async (t) => {
    const bed = await theBed();
    const ssh = await sshOf(t);
    const to = target(bed, 1);
    const command = ssh.run(to, { argv: ["sleep", "30"], deadlineMs });
    const lost = assert.rejects(command, { fault: "unreachable" });
    await ssh.run(to, { argv: ["true"], deadlineMs });
    await bed.stop(to.host);
    await lost;
    await assert.rejects(ssh.run(to, { argv: ["true"], deadlineMs }), {
      fault: "unreachable",
      message: new RegExp(`${to.host}:${to.port} does not answer: .*ECONNREFUSED`),
    });
    await bed.start(to.host);
    assert.equal((await ssh.run(to, { argv: ["true"], deadlineMs })).exitCode, 0);
  });

  test("a connection whose other end is silent is given up after a deadline", async (t) => {
    const bed = await theBed();
    const ssh = await sshOf(t);
    const to = target(bed, 1);
    const { stdout } = await ssh.run(to, { argv: ["sh", "-c", "echo $PPID"], deadlineMs });
    const session = Number(stdout);
    assert.match(readFileSync(`/proc/${session}/comm`, "utf8"), /^sshd/);
    process.kill(session, "SIGSTOP");
    t.after(() => process.kill(session, "SIGKILL"));
    await assert.rejects(ssh.run(to, { argv: ["true"], deadlineMs: 300 }), { fault: "deadline" });
    assert.equal(
      (await ssh.run(to, { argv: ["true"], deadlineMs })).exitCode,
      0,
      "another connection is used",
    );
  });

  test("a host that takes the connection and says nothing is unreachable", async (t) => {
    const silent = createServer();
    await new Promise<void>((resolve) => silent.listen(0, "127.0.0.1", resolve));
    t.after(() => silent.close());
    const address = silent.address();
    const port = typeof address === "object" && address ? address.port : 0;
    const ssh = await sshOf(t, { connectSeconds: 0.2 });
    const to = { host: "127.0.0.1", port, account: "ada" };
    await assert.rejects(ssh.run(to, { argv: ["true"], deadlineMs }), { fault: "unreachable" });
  });

  test("connecting alone can be cancelled; what it opened is used afterwards", async (t) => {
    const bed = await theBed();
    const silent = createServer();
    await new Promise<void>((resolve) => silent.listen(0, "127.0.0.1", resolve));
    t.after(() => silent.close());
    const address = silent.address();
    const port = typeof address === "object" && address ? address.port : 0;
    const ssh = await sshOf(t);
    const cancel = new AbortController();
    const waiting = ssh.connect(
      { host: "127.0.0.1", port, account: "ada" },
      { deadlineMs, signal: cancel.signal },
    );
    cancel.abort(new Error("not wanted any more"));
    await assert.rejects(waiting, /not wanted any more/);
    const to = target(bed, 0, 1);
    const before = logins(bed, to.host);
    await ssh.connect(to, { deadlineMs });
    await ssh.run(to, { argv: ["true"], deadlineMs });
    assert.equal(logins(bed, to.host) - before, 1);
  });

  test("after close nothing runs any more", async (t) => {
    const ssh = await sshOf(t);
    const to = target(await theBed());
    await ssh.run(to, { argv: ["true"], deadlineMs });
    await ssh.close();
    await assert.rejects(ssh.run(to, { argv: ["true"], deadlineMs }), { fault: "closed" });
  });
});
