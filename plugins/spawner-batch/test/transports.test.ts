import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { randomInt } from "node:crypto";
import { describe, test } from "node:test";
import { localTransport } from "../src/transports/local.ts";
import { sudoTransport } from "../src/transports/sudo.ts";
import type { Transport } from "../src/transports/transport.ts";

const isRoot = process.getuid?.() === 0;
const ECHO = "import json,sys; json.dump([sys.argv[1:], sys.stdin.buffer.read().decode()], sys.stdout)";

/** Texts that shells, quotes, schedulers and encodings stumble over. */
function hostile(): string {
  const parts = [
    "'",
    '"',
    "\\",
    "$(id)",
    "`id`",
    "$",
    "{HOME}",
    "\n",
    "\r",
    "\t",
    "%j",
    "%",
    ";",
    "&&",
    "|",
    ">x",
    "*",
    "~",
    "#SBATCH -p x",
    "--wrap=id",
    "-u",
    "ä",
    "€",
    "😀",
    "\u2028",
    " ",
    "\u0001",
    "\u001b[2J",
    "=",
    "a",
  ];
  return Array.from({ length: randomInt(0, 12) }, () => parts[randomInt(parts.length)]).join("");
}

async function roundTrip(transport: Transport, account?: string): Promise<void> {
  for (let round = 0; round < 20; round += 1) {
    const texts = Array.from({ length: 500 }, hostile);
    const stdin = texts.join("\n");
    const { exitCode, stdout, stderr } = await transport.run({
      ...(account !== undefined && { account }),
      ...{ argv: ["python3", "-I", "-S", "-X", "utf8", "-c", ECHO, ...texts], stdin, deadlineMs: 20_000 },
    });
    assert.equal(exitCode, 0, stderr);
    assert.deepEqual(JSON.parse(stdout), [texts, stdin]);
  }
}

const local = localTransport({});
const processesWith = (mark: string): string =>
  execFileSync("sh", ["-c", `ps -eo pid,args | grep -F ${mark} | grep -v grep || true`], {
    encoding: "utf8",
  });

describe("commands on this machine", () => {
  test("10,000 hostile texts arrive as they were, each as one argument, and on stdin", () =>
    roundTrip(local));

  test("one that hangs is ended with all that it started, at its deadline", async () => {
    const mark = `deadline-${process.pid}`;
    const argv = ["/bin/sh", "-c", `sh -c 'sleep 60; : ${mark}' & sleep 60; : ${mark}`];
    const begun = performance.now();
    await assert.rejects(local.run({ argv, deadlineMs: 300 }), {
      name: "TransportFault",
      trouble: "deadline",
    });
    assert.ok(performance.now() - begun < 2_000);
    while (processesWith(mark) !== "") assert.ok(performance.now() - begun < 5_000, "it was not ended");
  });

  test("one that is given up is ended at once", async () => {
    const mark = `given-up-${process.pid}`;
    const giveUp = new AbortController();
    const running = local.run({
      argv: ["/bin/sh", "-c", `sleep 60; : ${mark}`],
      deadlineMs: 60_000,
      signal: giveUp.signal,
    });
    giveUp.abort();
    await assert.rejects(running, { name: "AbortError" });
    const begun = performance.now();
    while (processesWith(mark) !== "") assert.ok(performance.now() - begun < 5_000, "it was not ended");
    await assert.rejects(local.run({ argv: ["true"], deadlineMs: 1_000, signal: giveUp.signal }), {
      name: "AbortError",
    });
  });

  test("one that prints without end is cut off", async () => {
    await assert.rejects(local.run({ argv: ["yes"], deadlineMs: 20_000 }), { trouble: "output" });
  });

  test("one that is not there is told; one that fails has its code; one that is killed has none", async () => {
    await assert.rejects(local.run({ argv: ["/nonexistent"], deadlineMs: 1_000 }), { trouble: "missing" });
    const failed = await local.run({
      argv: ["sh", "-c", "echo out; echo err >&2; exit 3"],
      deadlineMs: 5_000,
    });
    assert.deepEqual(failed, { exitCode: 3, stdout: "out\n", stderr: "err\n" });
    assert.equal((await local.run({ argv: ["sh", "-c", "kill -9 $$"], deadlineMs: 5_000 })).exitCode, -1);
  });

  test("one that cannot be begun for another reason is not told as missing", async () => {
    const argv = ["true", "x".repeat(4 << 20)];
    await assert.rejects(local.run({ argv, deadlineMs: 1_000 }), {
      name: "TransportFault",
      trouble: "unreachable",
    });
  });

  test("one that reads nothing does not mind what it is given", async () => {
    const stdin = "x".repeat(1 << 20);
    assert.equal((await local.run({ argv: ["true"], stdin, deadlineMs: 5_000 })).exitCode, 0);
  });

  test("characters cut in two between reads come out whole, broken ones as replacements", async () => {
    const code =
      "import sys,time\nfor b in 'ä€😀'.encode()+b'\\xff': sys.stdout.buffer.write(bytes([b])); sys.stdout.flush(); time.sleep(.01)";
    const { stdout } = await local.run({ argv: ["python3", "-c", code], deadlineMs: 5_000 });
    assert.equal(stdout, "ä€😀\ufffd");
  });

  test("the hub's environment stays with the hub", async (t) => {
    process.env.ELARA_TEST_SECRET = "secret";
    t.after(() => {
      delete process.env.ELARA_TEST_SECRET;
    });
    const { stdout } = await localTransport({ SLURM_CONF: "/x" }).run({ argv: ["env"], deadlineMs: 5_000 });
    assert.doesNotMatch(stdout, /ELARA_TEST_SECRET/);
    assert.match(stdout, /^SLURM_CONF=\/x$/m);
  });
});

const skip = isRoot ? false : "needs root: sudo to other accounts is NOT tested";
describe("commands by sudo", { skip }, () => {
  const sudo = sudoTransport({});
  test("10,000 hostile texts arrive as they were", () => roundTrip(sudo, "nobody"));

  test("those for an account run as it, questions as the hub", async () => {
    const who = async (account?: string) =>
      (await sudo.run({ argv: ["id", "-un"], deadlineMs: 5_000, ...(account && { account }) })).stdout.trim();
    assert.deepEqual([await who("nobody"), await who()], ["nobody", "root"]);
  });

  test("an account that is not there fails, and nothing waits for a password", async () => {
    const { exitCode, stderr } = await sudo.run({
      account: "elara-nobody-here",
      argv: ["true"],
      deadlineMs: 5_000,
    });
    assert.notEqual(exitCode, 0);
    assert.match(stderr, /unknown user/);
  });
});
