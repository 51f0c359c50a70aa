import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { X509Certificate } from "node:crypto";
import { readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { config, elara, folder } from "./fixtures/command.ts";

const make = (dir: string, ...more: string[]) => elara(dir, "cert", "--self-signed", ...more);

describe("cert", () => {
  test("writes a certificate for the hosts given, and its key for the owner alone", (t) => {
    const dir = folder(t);
    const { status, stdout } = make(
      dir,
      "--host",
      "hub.example.org",
      "10.1.2.3",
      "--host",
      "::1",
      "--out",
      "tls",
    );
    assert.equal(status, 0);
    assert.match(
      stdout,
      /network: \{ tls: \{ certificate: ".*\/tls\/certificate\.pem", key: ".*\/tls\/key\.pem" \} \}/,
    );
    const made = new X509Certificate(readFileSync(join(dir, "tls", "certificate.pem")));
    assert.ok(made.checkHost("hub.example.org") && made.checkIP("10.1.2.3") && made.checkIP("::1"));
    assert.equal(made.checkHost("other.example.org"), undefined);
    assert.ok(made.verify(made.publicKey) && !made.ca, "it signs itself, and can sign nothing else");
    const days = (Date.parse(made.validTo) - Date.now()) / 86_400_000;
    assert.ok(days > 364 && days <= 365, `${days}`);
    assert.equal(statSync(join(dir, "tls", "key.pem")).mode & 0o777, 0o600);
  });

  test("never overwrites, and takes no address for a host", (t) => {
    const dir = folder(t);
    writeFileSync(join(dir, "key.pem"), "mine");
    assert.match(make(dir).stderr, /CONFIG_EXISTS: .*key\.pem exists/);
    assert.equal(readFileSync(join(dir, "key.pem"), "utf8"), "mine");
    assert.match(
      make(dir, "--out", "a", "--host", "https://hub").stderr,
      /FIELD_INVALID: --host: "https:\/\/hub"/,
    );
    assert.match(make(dir, "--out", "a", "--days", "0").stderr, /--days: "0" is no number of days/);
    assert.match(elara(dir, "cert").stderr, /FIELD_INVALID: .*--self-signed/);
  });

  test("takes names as long as DNS has them: 63 for a label, 253 in all", (t) => {
    const dir = folder(t);
    const label = "a".repeat(63);
    const longest = [label, label, label, "a".repeat(61)].join(".");
    for (const long of [`${label}a.example.org`, `${longest}a`])
      assert.match(make(dir, "--out", "a", "--host", long).stderr, /FIELD_INVALID: --host: .*63.*253/);
    assert.equal(make(dir, "--out", "a", "--host", longest).status, 0);
  });

  test("says at once that a folder cannot be made, as every command does", (t) => {
    const dir = folder(t);
    assert.match(
      make(dir, "--out", "/proc/nope/tls").stderr,
      /FIELD_INVALID: --out: \/proc\/nope\/tls .*ENOENT/,
    );
    assert.match(
      elara(dir, "run", "all", "--data", "/proc/nope").stderr,
      /DATA_DIR_UNUSABLE: .*\/proc\/nope .*ENOENT/,
    );
    assert.match(
      elara(dir, "new", "spawner", "mine", "--dir", "/proc/nope").stderr,
      /FIELD_INVALID: --dir: \/proc\/nope/,
    );
  });
});

describe("a public address", () => {
  const people = 'auth: { allowAll: true }, spawners: [{ use: "local", options: { systemAccounts: false } }]';
  const written = (network: string, hub = "{}") =>
    `{ hub: ${hub}, network: ${network}, ${people}, authenticators: [{ use: "dummy", options: { anyPassword: true } }] }`;

  test("without TLS is refused by check and run, with the ways out", (t) => {
    const dir = folder(t);
    config(dir, written('{ host: "0.0.0.0", port: 0 }'));
    const words =
      /CONFIG_ADDRESS_PUBLIC: network\.host: 0\.0\.0\.0 .*network\.tls .*network\.behindProxy: true.*network\.insecure: true/;
    const { status, stdout } = elara(dir, "check");
    assert.equal(status, 1);
    assert.match(stdout, new RegExp(`FAULT +public address: ${words.source}`));
    const started = elara(dir, "run", "all");
    assert.equal(started.status, 1);
    assert.match(started.stderr, words);
    for (const way of ["behindProxy: true", "insecure: true"]) {
      config(dir, written(`{ host: "0.0.0.0", port: 0, ${way} }`));
      assert.match(elara(dir, "check").stdout, /ok +public address$/m, way);
    }
  });

  test("is good with a certificate, whose files count from the configuration", (t) => {
    const dir = folder(t);
    make(dir, "--host", "hub.example.org", "--out", "tls");
    const files = 'tls: { certificate: "tls/certificate.pem", key: "tls/key.pem" }';
    config(
      dir,
      written(`{ host: "0.0.0.0", port: 0, ${files} }`, '{ publicUrl: "https://hub.example.org" }'),
    );
    const { stdout } = elara("/", "check", "--config", join(dir, "elara.config.ts"));
    assert.match(stdout, /ok +public address$/m);
    assert.match(stdout, /ok +certificate: for hub\.example\.org, 36[45] days left/);
  });

  test("with a certificate that cannot work: the field, the reason, the fix; run refuses it too", (t) => {
    const dir = folder(t);
    make(dir, "--host", "hub.example.org", "--out", "tls");
    const tls = 'tls: { certificate: "tls/certificate.pem", key: "tls/key.pem" }';
    const told = (network: string, hub: string, words: RegExp): void => {
      config(dir, written(network, hub));
      assert.match(elara(dir, "check").stdout, new RegExp(`FAULT +certificate: ${words.source}`));
      const { status, stderr } = elara(dir, "run", "all");
      assert.match(stderr, words);
      assert.equal(status, 1);
    };
    const at = (host: string) => `{ publicUrl: "${host}" }`;
    told(
      `{ port: 0, ${tls} }`,
      at("https://lab.example.org"),
      /CONFIG_TLS_INVALID: network\.tls\.certificate: .* is for hub\.example\.org, not for lab/,
    );
    told(
      `{ port: 0, ${tls} }`,
      at("http://hub.example.org"),
      /CONFIG_INVALID: hub\.publicUrl: .* Write https/,
    );
    told(
      "{ port: 0, redirectPort: 8079 }",
      "{}",
      /CONFIG_INVALID: network\.redirectPort: .* Set network\.tls/,
    );
    const subject = ["-subj", "/CN=hub.example.org"];
    execFileSync(
      "openssl",
      [
        ...["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", ...subject],
        ...[
          "-config",
          "/dev/null",
          "-keyout",
          join(dir, "tls/key.pem"),
          "-out",
          join(dir, "tls/certificate.pem"),
        ],
      ],
      { stdio: "ignore" },
    );
    told(
      `{ port: 0, ${tls} }`,
      at("https://hub.example.org"),
      /CONFIG_TLS_INVALID: network\.tls\.certificate: .*subjectAltName.*browsers refuse it/,
    );
    config(dir, written('{ port: 0, tls: { certificate: "x" } }'));
    assert.match(elara(dir, "check").stderr, /network\.tls\.key/);
  });
});
