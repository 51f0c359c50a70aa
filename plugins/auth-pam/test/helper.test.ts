import assert from "node:assert/strict";
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { authenticator, finish } from "./login.ts";

const folder = mkdtempSync(join(tmpdir(), "elara-pam-"));
after(() => rmSync(folder, { recursive: true }));
/** A program that stands where Python should be. */
const program = (name: string, body: string): string => {
  const file = join(folder, name);
  writeFileSync(file, `#!/bin/sh\n${body}\n`);
  chmodSync(file, 0o755);
  return file;
};
const input = { username: "ada", password: "secret-word" };

test("a helper that hangs is killed with all it started", async () => {
  const pids = join(folder, "pids");
  const python = program("hangs", `sleep 300 & echo $$ $! > ${pids}; wait`);
  await assert.rejects(finish({ python, timeoutSeconds: 0.5 }, input), { code: "PAM_TIMEOUT", status: 503 });
  for (const pid of readFileSync(pids, "utf8").trim().split(" ").map(Number)) await gone(pid);
});

test("a login that is given up kills its helper", async () => {
  const pids = join(folder, "pids-given-up");
  const python = program("waits", `echo $$ > ${pids}.new; mv ${pids}.new ${pids}; exec sleep 300`);
  const giveUp = new AbortController();
  const login = finish({ python }, input, giveUp.signal);
  const pid = await appears(pids);
  giveUp.abort();
  await assert.rejects(login, { name: "AbortError" });
  await gone(pid);
});

test("more than the queue holds is refused at once", async () => {
  const python = program("slow", "exec sleep 300");
  const options = { python, concurrent: 1, timeoutSeconds: 1 };
  const codes = await Promise.all(
    Array.from({ length: 18 }, () => finish(options, input).catch((error: { code: string }) => error.code)),
  );
  assert.deepEqual(codes.slice(0, 17), Array(17).fill("PAM_TIMEOUT"));
  assert.equal(codes[17], "PAM_BUSY");
});

test("a missing Python, a crash and a wrong answer each say what to do", async () => {
  const pythons = {
    missing: join(folder, "nothing-here"),
    crashes: program("crashes", "echo 'No module named ctypes' >&2; exit 1"),
    babbles: program("babbles", "echo hello"),
  };
  for (const [name, python] of Object.entries(pythons))
    await assert.rejects(finish({ python }, input), { code: "PAM_HELPER_FAILED", status: 503 }, name);
  await assert.rejects(finish({ python: pythons.crashes }, input), { operator: /No module named ctypes/ });
  await assert.rejects(finish({ python: pythons.missing }, input), { operator: /nothing-here.*ENOENT/ });
});

test("check names a PAM service that has no file", async () => {
  const plugin = await authenticator({ service: "elara-no-such-service" });
  await assert.rejects(async () => plugin.check?.(), {
    code: "PAM_SERVICE_MISSING",
    operator: /elara-no-such-service/,
  });
});

test("names and passwords that no account can have are refused without asking PAM", async () => {
  const python = join(folder, "never-run");
  const odd = ["", "a\0b", "\ud800", "n".repeat(257)];
  for (const username of odd) assert.equal(await finish({ python }, { username, password: "x" }), undefined);
  for (const password of ["", "a\0b", "\ud800", "p".repeat(1025)])
    assert.equal(await finish({ python }, { username: "ada", password }), undefined);
});

const POLL_MS = 20;
const pause = () => new Promise((resolve) => setTimeout(resolve, POLL_MS));

/** Waits until no process has this pid (a zombie of ours counts as gone). */
async function gone(pid: number): Promise<void> {
  for (let tries = 0; tries < 250; tries += 1) {
    try {
      if (/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, "utf8"))) return;
    } catch {
      return;
    }
    await pause();
  }
  assert.fail(`process ${pid} still runs`);
}

async function appears(file: string): Promise<number> {
  for (let tries = 0; tries < 250; tries += 1) {
    try {
      return Number(readFileSync(file, "utf8"));
    } catch {
      await pause();
    }
  }
  return assert.fail(`${file} was never written`);
}
