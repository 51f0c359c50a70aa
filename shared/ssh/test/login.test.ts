import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import {
  chmodSync,
  chownSync,
  copyFileSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, type TestContext, test } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import { sshMissing } from "@elara/beds/ssh";
import { testHost } from "@elara/sdk/testing";
import { Value } from "typebox/value";
import { openSsh, sshOptions } from "../src/index.ts";
import { sshOf, target, theBed } from "./fixtures/bed.ts";

const skip = sshMissing();
const whoAmI = { argv: ["id", "-un"], deadlineMs: 20_000 };

function folderOf(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), "elara-keys-"));
  t.after(() => rmSync(folder, { recursive: true }));
  return folder;
}

const keygen = (...args: string[]) => execFileSync("ssh-keygen", ["-q", ...args]);

/** A key the hosts do not know, with a certificate of the bed's authority: `{folder}/{account}` and `…-cert.pub`. */
async function signed(t: TestContext, account: string, type: string, principal = account, validity = "+1h") {
  const folder = folderOf(t);
  const file = join(folder, account);
  keygen("-t", type, "-N", "", "-f", file);
  keygen("-s", (await theBed()).caKeyFile, "-I", "test", "-n", principal, "-V", validity, `${file}.pub`);
  const privateKey = join(folder, "{username}");
  return { privateKey, certificate: `${privateKey}-cert.pub` };
}

describe("the key of a host", { skip }, () => {
  test("that is not known: nothing is sent, the line to add is told", async (t) => {
    const bed = await theBed();
    const file = join(folderOf(t), "known_hosts");
    const ssh = await sshOf(t, { knownHosts: file });
    const to = target(bed);
    const added = await ssh.run(to, whoAmI).then(
      () => assert.fail("a host nobody knows was talked to"),
      (error: unknown) => {
        assert.ok(error instanceof Error && "fault" in error && error.fault === "host_key", String(error));
        assert.ok(error.message.includes(file));
        return error.message.slice(error.message.lastIndexOf(`[${to.host}]`));
      },
    );
    writeFileSync(file, `${added}\n`);
    assert.equal((await ssh.run(to, whoAmI)).stdout.trim(), to.account, "with the line added it works");
  });

  test("that is another one than known: refused, and fine again with the new line", async (t) => {
    const bed = await theBed();
    const to = target(bed, 1);
    const ssh = await sshOf(t);
    await ssh.run(to, whoAmI);
    await bed.changeHostKey(to.host);
    await assert.rejects((await sshOf(t)).run(to, whoAmI), {
      fault: "host_key",
      message: new RegExp(`not the one in ${bed.knownHostsFile}, line 2`),
    });
  });
});

describe("logging in", { skip }, () => {
  test("with a certificate beside its key, of every usual type", async (t) => {
    const bed = await theBed();
    const to = target(bed);
    for (const type of ["ed25519", "ecdsa", "rsa"]) {
      const ssh = await sshOf(t, await signed(t, to.account, type));
      assert.equal((await ssh.run(to, whoAmI)).stdout.trim(), to.account, type);
      assert.match(
        bed.log(to.host),
        new RegExp(`Accepted publickey for ${to.account} .*${type.toUpperCase()}-CERT`),
      );
    }
  });

  test("with an expired certificate, that of another principal, no certificate: refused as a log-in", async (t) => {
    const to = target(await theBed());
    const refused = { fault: "login", message: new RegExp(`does not let ${to.account} in`) };
    const expired = await signed(t, to.account, "ed25519", to.account, "-2h:-1h");
    await assert.rejects((await sshOf(t, expired)).run(to, whoAmI), refused);
    const others = await signed(t, to.account, "ed25519", "somebody-else");
    await assert.rejects((await sshOf(t, others)).run(to, whoAmI), refused);
    const bare = await signed(t, to.account, "ed25519");
    await assert.rejects((await sshOf(t, { ...bare, certificate: "" })).run(to, whoAmI), refused);
    assert.equal((await (await sshOf(t, bare)).run(to, whoAmI)).exitCode, 0, "with it, it works");
  });

  test("with files that are not there or do not belong together", async (t) => {
    const to = target(await theBed());
    const credential = { fault: "credential" };
    await assert.rejects((await sshOf(t, { privateKey: "/nonexistent/key" })).run(to, whoAmI), {
      ...credential,
      message: /^`privateKey`: \/nonexistent\/key cannot be read/,
    });
    const { privateKey, certificate } = await signed(t, to.account, "ed25519");
    const file = privateKey.replace("{username}", to.account);
    chmodSync(`${file}.pub`, 0o600);
    await assert.rejects((await sshOf(t, { privateKey: `${file}.pub` })).run(to, whoAmI), credential);
    const rsa = join(folderOf(t), "rsa");
    keygen("-t", "rsa", "-N", "", "-f", rsa);
    await assert.rejects((await sshOf(t, { privateKey: rsa, certificate })).run(to, whoAmI), {
      ...credential,
      message: /its key is ssh-rsa/,
    });
  });

  test("with a private key that others can read: not used, the command to run is told", async (t) => {
    const bed = await theBed();
    const to = target(bed);
    const copied = (from: string, mode: number, owner = 0) => {
      const file = join(folderOf(t), "key");
      copyFileSync(from, file);
      chmodSync(file, mode);
      chownSync(file, owner, 0);
      return file;
    };
    const refused = async (privateKey: string, fix: string) =>
      assert.rejects((await sshOf(t, { privateKey })).run(to, whoAmI), {
        fault: "credential",
        message: new RegExp(`^\`privateKey\`: other accounts can read .* chmod ${fix} ${privateKey}$`),
      });
    for (const mode of [0o640, 0o604]) await refused(copied(bed.privateKeyFile, mode), "go=");
    await refused(copied(bed.privateKeyFile, 0o604, 1), "o=");
    const mounted = await sshOf(t, { privateKey: copied(bed.privateKeyFile, 0o440, 1) });
    assert.equal((await mounted.run(to, whoAmI)).exitCode, 0, "a secret for the hub's group is fine");
    const authority = { privateKey: "", certificateAuthority: { key: copied(bed.caKeyFile, 0o644) } };
    await assert.rejects((await sshOf(t, authority)).run(to, whoAmI), {
      fault: "credential",
      message: /^`certificateAuthority\.key`: other accounts can read/,
    });
  });

  test("as a name that could lead to another file is refused", async (t) => {
    const to = target(await theBed());
    const ssh = await sshOf(t, { privateKey: "/tmp/{username}" });
    for (const account of ["../root", "", "-oProxyCommand=x", "a/b", "a\nb", "a b", ".."])
      await assert.rejects(ssh.run({ ...to, account }, whoAmI), {
        message: /cannot be the name of an account/,
      });
  });
});

describe("an authority of the hub's own", { skip }, () => {
  test("signs a key for one account, renewed at half of its life, never written to a file", async (t) => {
    const bed = await theBed();
    let at = Date.now();
    const given = { knownHosts: bed.knownHostsFile, idleSeconds: 0.02 };
    const written = { ...given, certificateAuthority: { key: bed.caKeyFile, validSeconds: 600 } };
    const { log } = testHost();
    const ssh = openSsh(Value.Parse(sshOptions, Value.Default(sshOptions, written)), { log, now: () => at });
    t.after(() => ssh.close());
    const to = target(bed);
    const serials = () =>
      [...bed.log(to.host).matchAll(/ID elara:\S+ \(serial (\d+)\)/g)].map(([, serial]) => serial);
    const serialOfLogin = async (account: string) => {
      assert.equal((await ssh.run({ ...to, account }, whoAmI)).stdout.trim(), account);
      await pause(100); // longer than idleSeconds: the next command logs in again
      return serials().at(-1);
    };
    const first = await serialOfLogin(to.account);
    assert.equal(await serialOfLogin(to.account), first, "the same one while it is young");
    at += 299_000;
    assert.equal(await serialOfLogin(to.account), first);
    at += 2_000;
    const second = await serialOfLogin(to.account);
    assert.notEqual(second, first, "another one after half of its life");
    assert.notEqual(await serialOfLogin(bed.accounts[1] ?? ""), second, "one for each account");
  });

  test("that the hosts do not trust, or that is not there, is told", async (t) => {
    const to = target(await theBed());
    const key = join(folderOf(t), "false_ca");
    keygen("-t", "ed25519", "-N", "", "-f", key);
    const by = (file: string) => ({ privateKey: "", certificateAuthority: { key: file } });
    await assert.rejects((await sshOf(t, by(key))).run(to, whoAmI), { fault: "login" });
    await assert.rejects((await sshOf(t, by("/nonexistent/ca"))).run(to, whoAmI), {
      fault: "credential",
      message: /^`certificateAuthority\.key`: \/nonexistent\/ca cannot be read/,
    });
    copyFileSync(`${key}.pub`, `${key}-is-public`);
    chmodSync(`${key}-is-public`, 0o600);
    assert.ok(readFileSync(`${key}-is-public`).length > 0);
    await assert.rejects((await sshOf(t, by(`${key}-is-public`))).run(to, whoAmI), { fault: "credential" });
  });

  test("options that cannot work are refused at once", async (t) => {
    await assert.rejects(sshOf(t, { privateKey: "" }), /either `privateKey` or `certificateAuthority.key`/);
    await assert.rejects(sshOf(t, { certificateAuthority: { key: "/ca" } }), /either/);
    await assert.rejects(
      sshOf(t, { privateKey: "", certificate: "/x", certificateAuthority: { key: "/ca" } }),
      /belongs to/,
    );
  });
});
