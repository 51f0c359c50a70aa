import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { chmodSync, mkdirSync, mkdtempSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, type TestContext, test } from "node:test";
import { keyFile, optionFile } from "../src/key-file.ts";
import { knownKeys } from "../src/known-hosts.ts";
import { throwAwayKey } from "../src/throw-away-key.ts";

/** A pipe without a writer, a folder, a device, a file that is far too long. */
function oddFiles(t: TestContext): [file: string, words: RegExp][] {
  const folder = mkdtempSync(join(tmpdir(), "elara-odd-"));
  t.after(() => rmSync(folder, { recursive: true }));
  const at = (name: string) => join(folder, name);
  execFileSync("mkfifo", [at("pipe")]);
  mkdirSync(at("folder"));
  writeFileSync(at("long"), "");
  truncateSync(at("long"), 20 * 1024 ** 2);
  return [
    [at("pipe"), /pipe is a pipe, not a file$/],
    [at("folder"), /folder is a directory, not a file$/],
    ["/dev/zero", /\/dev\/zero is a device, not a file$/],
    [at("long"), /long is longer than \d+ bytes$/],
  ];
}

describe("a file that is none is told at once, with its option", () => {
  test("keys of hosts", { timeout: 5_000 }, async (t) => {
    for (const [file, message] of oddFiles(t)) {
      await assert.rejects(knownKeys([file], "a.org", 22), { fault: "host_key", message });
      await assert.rejects(knownKeys([file], "a.org", 22), /`knownHosts`: /);
    }
  });

  test("keys and certificates of the hub", { timeout: 5_000 }, async (t) => {
    for (const [file, message] of oddFiles(t))
      for (const read of [keyFile, optionFile])
        await assert.rejects(read(file, "anOption"), (error: Error) => {
          assert.match(error.message, message);
          assert.match(error.message, /^`anOption`: /);
          assert.doesNotMatch(error.message, /chmod/);
          return true;
        });
  });
});

describe("of modes is spoken only where there is a private key", () => {
  test("everybody's files and public keys are no private keys", async (t) => {
    const folder = mkdtempSync(join(tmpdir(), "elara-key-"));
    t.after(() => rmSync(folder, { recursive: true }));
    const pair = throwAwayKey();
    const file = join(folder, "key");
    for (const [name, text] of Object.entries({ passwd: "root:x:0:0::/root:/bin/sh\n", pub: pair.public })) {
      writeFileSync(join(folder, name), text, { mode: 0o644 });
      await assert.rejects(keyFile(join(folder, name), "privateKey"), (error: Error) => {
        assert.match(error.message, /^`privateKey`: \S+ is no private key/);
        assert.doesNotMatch(error.message, /chmod/);
        return true;
      });
    }
    writeFileSync(file, pair.private, { mode: 0o644 });
    chmodSync(file, 0o644);
    await assert.rejects(keyFile(file, "privateKey"), /Do: chmod go= \S+key$/);
    chmodSync(file, 0o600);
    assert.equal(await keyFile(file, "privateKey"), pair.private);
  });
});
