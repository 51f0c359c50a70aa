import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { chmodSync, existsSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { delimiter, join } from "node:path";
import { describe, test } from "node:test";
import { codeOf } from "@elara/contracts";
import { claimCluster } from "../src/cluster/claim.ts";
import { config, ELARA, elara, elaraIn, folder } from "./fixtures/command.ts";

/** On a machine with mongod there is nothing to say. */
const noMongod = process.env.PATH?.split(delimiter).some((bin) => existsSync(join(bin, "mongod"))) ?? false;

test("bare elara explains itself and is no failure", (t) => {
  const { status, stdout } = elara(folder(t));
  assert.equal(status, 0);
  for (const word of ["run", "init", "check", "token", "plugins", "new"])
    assert.match(stdout, new RegExp(`\\b${word}\\b`));
});

test("an unknown command names the near one", (t) => {
  const { status, stderr } = elara(folder(t), "chek");
  assert.notEqual(status, 0);
  assert.match(stderr, /check/);
});

test("an unknown service names the near one", (t) => {
  const { status, stderr } = elara(folder(t), "run", "spwan");
  assert.equal(status, 1);
  assert.match(stderr, /did you mean spawn/);
});

describe("init", () => {
  test("writes every option with default and meaning; the file is valid as it stands", (t) => {
    const dir = folder(t);
    assert.equal(elara(dir, "init").status, 0);
    const text = readFileSync(join(dir, "elara.config.ts"), "utf8");
    for (const section of [
      "hub",
      "network",
      "bus",
      "store",
      "secrets",
      "log",
      "authenticators",
      "spawners",
      "auth",
      "spawn",
      "proxy",
      "culler",
      "web",
    ])
      assert.match(text, new RegExp(`^  (// )?${section}: `, "m"), section);
    assert.match(text, /\/\/ Port of the public listener\.\n\s+port: 8000,/);
    const { stdout, status } = elara(dir, "check");
    assert.match(stdout, /ok +configuration/);
    assert.match(stdout, /FAULT +who gets in: CONFIG_INVALID: authenticators: is empty/);
    assert.equal(status, 1);
  });

  test("never overwrites", (t) => {
    const dir = folder(t);
    config(dir, "{}");
    const { status, stderr } = elara(dir, "init");
    assert.equal(status, 1);
    assert.match(stderr, /CONFIG_EXISTS/);
    assert.equal(readFileSync(join(dir, "elara.config.ts"), "utf8"), "export default {};\n");
  });

  test("--keys makes both keys, 0600, and keeps those there are", (t) => {
    const dir = folder(t);
    assert.equal(elara(dir, "init", "--keys", "data").status, 0);
    const file = join(dir, "data", "cookie_secret");
    const first = readFileSync(file, "utf8");
    assert.match(first, /^[0-9a-f]{64}\n$/);
    assert.equal(statSync(file).mode & 0o777, 0o600);
    assert.ok(existsSync(join(dir, "data", "crypt_key")));
    elara(dir, "init", "--keys", "data");
    assert.equal(readFileSync(file, "utf8"), first);
  });
});

describe("run refuses to start", () => {
  const allow =
    'spawners: [{ use: "local", options: { systemAccounts: false } }], authenticators: [{ use: "dummy", options: { anyPassword: true } }], auth: { allowAll: true }';

  test("on a public address without TLS", (t) => {
    const dir = folder(t);
    config(dir, `{ ${allow}, network: { host: "0.0.0.0" } }`);
    const { status, stderr } = elara(dir, "run", "all");
    assert.equal(status, 1);
    assert.match(stderr, /CONFIG_ADDRESS_PUBLIC.*network\.insecure/);
  });

  test("with a key that others can read", (t) => {
    const dir = folder(t);
    config(dir, `{ ${allow} }`);
    elara(dir, "init", "--keys", "elara-data");
    chmodSync(join(dir, "elara-data", "cookie_secret"), 0o644);
    assert.match(elara(dir, "run", "all").stderr, /CONFIG_SECRET_READABLE.*chmod 600/);
  });

  test("as root, when everybody's server would be root without being asked", (t) => {
    if (process.getuid?.() !== 0) return; // Nobody can be root by accident here.
    const dir = folder(t);
    config(
      dir,
      '{ authenticators: [{ use: "dummy", options: { anyPassword: true } }], auth: { allowAll: true } }',
    );
    assert.match(
      elara(dir, "run", "all").stderr,
      /CONFIG_INVALID: spawners: the hub is root.*systemAccounts: true/,
    );
  });

  test("with a password that is too short, and ends", (t) => {
    const dir = folder(t);
    const { status, stderr } = elaraIn(dir, { ELARA_TRIAL_PASSWORD: "abc" }, "run", "all", "--port", "0");
    assert.equal(status, 1, "it ended by itself");
    assert.match(stderr, /DUMMY_PASSWORD_SHORT/);
  });

  test("in a folder that is none", (t) => {
    const dir = folder(t);
    writeFileSync(join(dir, "file"), "");
    assert.match(elara(dir, "run", "all", "--data", "file").stderr, /DATA_DIR_UNUSABLE.*--data DIR/);
    assert.match(elara(dir, "run", "all", "--data", "").stderr, /--data: is empty/);
  });

  test("with one port for both listeners", (t) => {
    const dir = folder(t);
    config(dir, `{ ${allow}, network: { port: 23456, internalPort: 23456 } }`);
    assert.match(elara(dir, "run", "all").stderr, /network\.internalPort: is 23456, as network\.port is/);
    assert.match(elara(dir, "check").stdout, /FAULT +port 23456: CONFIG_INVALID/);
  });

  test("with half a certificate", (t) => {
    const dir = folder(t);
    config(dir, `{ ${allow}, network: { tls: { certificate: "/nowhere.pem" } } }`);
    assert.match(elara(dir, "run", "all").stderr, /network\.tls\.key: is missing/);
  });

  test("one service over the embedded bus and store", (t) => {
    const dir = folder(t);
    config(dir, `{ ${allow} }`);
    assert.match(elara(dir, "run", "auth").stderr, /bus\.use: "nats".*store\.use: "mongo"/);
  });

  test("services apart without the shared keys", (t) => {
    const dir = folder(t);
    config(dir, `{ ${allow}, bus: { use: "nats" }, store: { use: "mongo", uri: { env: "HOME" } } }`);
    const { status, stderr } = elara(dir, "run", "web");
    assert.equal(status, 1);
    assert.match(stderr, /CONFIG_SECRET_MISSING: secrets\.cookieSecret: .*elara init --keys/);
  });
});

test("without Python, the first start says what to install", (t) => {
  const dir = folder(t);
  const { status, stderr } = spawnSync(process.execPath, [ELARA, "run", "all"], {
    cwd: dir,
    encoding: "utf8",
    // Nothing but an empty folder: neither jupyterhub-singleuser nor python3.
    env: { ...process.env, PATH: dir },
    timeout: 60_000,
  });
  assert.equal(status, 1);
  assert.match(stderr, /PYTHON_MISSING: .*No python3 was found.*python3-venv/s);
});

describe("cluster", () => {
  test("without MongoDB says so, and ends", { skip: noMongod }, (t) => {
    const dir = folder(t);
    const { status, stderr } = elara(dir, "cluster");
    assert.equal(status, 1, "it ended by itself");
    assert.match(stderr, /MONGO_MISSING/);
  });

  test("with a MongoDB that is none tells the service's own words, and ends", (t) => {
    const dir = folder(t);
    const { status, stderr } = elaraIn(dir, { MONGODB_URI: "hello" }, "cluster");
    assert.equal(status, 1, "it ended by itself");
    assert.match(stderr, /CLUSTER_CHILD_FAILED: .* ended before it was ready.*CONFIG_INVALID/s);
  });

  test("is one on a data directory; what a killed one left is taken over", (t) => {
    const dir = folder(t);
    const release = claimCluster(dir);
    assert.throws(
      () => claimCluster(dir),
      (error) => codeOf(error) === "CLUSTER_RUNNING",
    );
    release();
    writeFileSync(join(dir, "cluster.pid"), `${process.pid} 1`);
    claimCluster(dir)();
  });
});

test("a reader that has read enough is no failure", (t) => {
  const dir = folder(t);
  const { status, stdout, stderr } = spawnSync(
    "bash",
    ["-c", `set -o pipefail; "$0" "$1" plugins | true`, process.execPath, ELARA],
    { cwd: dir, encoding: "utf8", timeout: 60_000 },
  );
  assert.deepEqual({ status, stdout, stderr }, { status: 0, stdout: "", stderr: "" });
});

test("token says how to reach a hub that does not run here", (t) => {
  const { status, stderr } = elara(folder(t), "token", "ada");
  assert.equal(status, 1);
  assert.match(stderr, /HUB_NOT_RUNNING.*--data DIR/);
});

describe("new", () => {
  for (const kind of ["spawner", "authenticator"]) {
    test(`${kind} writes one file under 100 lines and its test, never over a file`, (t) => {
      const dir = folder(t);
      assert.equal(elara(dir, "new", kind, "demo").status, 0);
      assert.ok(readFileSync(join(dir, "demo.ts"), "utf8").split("\n").length < 100);
      assert.ok(existsSync(join(dir, "demo.test.ts")));
      assert.match(elara(dir, "new", kind, "demo").stderr, /CONFIG_EXISTS/);
    });
  }

  test("a bad name is refused with what is right", (t) => {
    assert.match(
      elara(folder(t), "new", "spawner", "My_Spawner").stderr,
      /lower-case letters, digits and hyphens/,
    );
  });
});

test("an old Node says what is missing", () => {
  const pretend =
    "data:text/javascript,Object.defineProperty(process,'versions',{value:{...process.versions,node:'20.20.2'}})";
  const { status, stderr } = spawnSync(process.execPath, ["--import", pretend, ELARA], { encoding: "utf8" });
  assert.equal(status, 1);
  assert.match(stderr, /NODE_TOO_OLD.*npm install/s);
});
