import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { sshMissing } from "@elara/beds/ssh";
import ssh2 from "ssh2";
import { throwAwayKey } from "../src/throw-away-key.ts";

test("3,000 keys are whole: read again, they sign for their public half", () => {
  for (let round = 0; round < 3_000; round += 1) {
    const pair = throwAwayKey();
    const [secret, open] = [pair.private, pair.public].map((text) => ssh2.utils.parseKey(text));
    assert.ok(secret && open && !(secret instanceof Error) && !(open instanceof Error), pair.public);
    assert.ok(secret.getPublicSSH().equals(Buffer.from(pair.public.split(" ")[1] ?? "", "base64")));
    assert.equal(secret.getPublicSSH().length, 51);
    assert.ok(open.verify("text", secret.sign("text")));
  }
});

test("OpenSSH reads them too", { skip: sshMissing() }, (t) => {
  const folder = mkdtempSync(join(tmpdir(), "elara-keys-"));
  t.after(() => rmSync(folder, { recursive: true }));
  const pair = throwAwayKey();
  writeFileSync(join(folder, "key"), pair.private, { mode: 0o600 });
  const told = execFileSync("ssh-keygen", ["-y", "-f", join(folder, "key")], { encoding: "utf8" });
  assert.equal(told.trim(), pair.public);
});
