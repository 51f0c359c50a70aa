import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { type AddressInfo, createServer } from "node:net";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { codeOf } from "@elara/contracts";
import { claimCluster } from "../src/cluster/claim.ts";

const ELARA = fileURLToPath(new URL("../bin/elara.js", import.meta.url));

interface Context {
  after(fn: () => void): void;
}

function folder(t: Context): string {
  const dir = mkdtempSync(join(tmpdir(), "elara-command-"));
  t.after(() => rmSync(dir, { recursive: true, force: true }));
  return dir;
}

/** A PATH on which Jupyter seems to be, so that no environment is made for tests that never start a server. */
function pathWithJupyter(): string {
  const bin = mkdtempSync(join(tmpdir(), "elara-jupyter-"));
  process.once("exit", () => rmSync(bin, { recursive: true, force: true }));
  for (const name of ["jupyterhub-singleuser", "jupyter-lab"])
    writeFileSync(join(bin, name), "#!/bin/sh\n", { mode: 0o755 });
  return `${bin}${delimiter}${process.env.PATH}`;
}
const PATH = pathWithJupyter();
/** On a machine with mongod there is nothing to say. */
const noMongod = process.env.PATH?.split(delimiter).some((bin) => existsSync(join(bin, "mongod"))) ?? false;

/** Runs the real command in a folder. */
function elaraIn(dir: string, env: NodeJS.ProcessEnv, ...args: string[]) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [ELARA, ...args], {
    cwd: dir,
    encoding: "utf8",
    env: { ...process.env, PATH, MONGODB_URI: undefined, ...env },
    timeout: 120_000,
  });
  return { status, stdout, stderr };
}
const elara = (dir: string, ...args: string[]) => elaraIn(dir, {}, ...args);

const config = (dir: string, text: string): void =>
  writeFileSync(join(dir, "elara.config.ts"), `export default ${text};\n`);

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

describe("check", () => {
  test("lists all faults of the configuration at once", (t) => {
    const dir = folder(t);
    config(
      dir,
      '{ netwrok: {}, network: { port: "8000" }, auth: { alowAll: true }, authenticators: [{ use: "dummy", options: { passwrd: 1 } }] }',
    );
    const { status, stderr } = elara(dir, "check");
    assert.equal(status, 1);
    assert.match(stderr, /CONFIG_INVALID/);
    assert.match(stderr, /netwrok: unknown key; did you mean `network`/);
    assert.match(stderr, /network\.port: must be integer, got "8000"/);
    assert.match(stderr, /auth\.alowAll: unknown key; did you mean `allowAll`/);
    assert.match(stderr, /authenticators\[0\]\.options\.passwrd: unknown key; did you mean `password`/);
  });

  test("holds profiles and spawners against each other", (t) => {
    const dir = folder(t);
    config(
      dir,
      `{ spawners: [{ use: "local", name: "here", command: [], clocks: { bootSeconds: 0 } }],
         spawn: { profiles: [{ slug: "A", title: "A", spawner: "here" }] } }`,
    );
    const { stderr } = elara(dir, "check");
    assert.match(stderr, /spawners\[0\]\.command: must not have fewer than 1 items/);
    assert.match(stderr, /spawners\[0\]\.clocks\.bootSeconds: must be >= 0\.1, got 0/);
    assert.match(stderr, /spawn\.profiles\[0\]\.slug: does not match/);
    config(
      dir,
      `{ spawners: [{ use: "local", name: "here", environment: { A: "1" } }],
         spawn: { profiles: [{ slug: "a", title: "A", spawner: "local", fields: {} },
           { slug: "a", title: "B", spawner: "here", options: { umask: "022" }, fields: { host: true } }] },
         culler: { perSpawner: { here: {} }, perProfile: { a: {}, aa: {} } } }`,
    );
    for (const args of [["check"], ["run", "all"]]) {
      const { status, stderr } = elara(dir, ...args);
      assert.equal(status, 1);
      assert.match(stderr, /spawn\.profiles\[0\]\.spawner: there is no spawner "local"; known here: here/);
      assert.match(stderr, /spawn\.profiles\[1\]\.slug: is "a", as profiles\[0\]\.slug is/);
      assert.match(stderr, /spawn\.profiles\[1\]\.options\.umask: cannot be set by a profile; it belongs to/);
      assert.match(stderr, /spawn\.profiles\[1\]\.fields\.host: is no choice of users/);
      assert.match(stderr, /culler\.perProfile\.aa: there is no profile "aa"; did you mean `a`\?/);
    }
  });

  test("asks spawners what they offer, tells what leaves nothing to choose, and ends", (t) => {
    const dir = folder(t);
    writeFileSync(
      join(dir, "mine.ts"),
      `import { Type, wrapSpawner } from "@elara/sdk";
       import local from "@elara/spawner-local";
       const room = Type.String({ default: "north", userChoice: true, description: "Where it runs." });
       const wrapped = wrapSpawner(local, { name: "mine", options: { room } });
       export default { ...wrapped, async setup(options, host) {
         const held = setInterval(() => {}, 1000);
         host.onClose(() => clearInterval(held));
         return { ...(await wrapped.setup(options, host)), form: async () => ({ room: { enum: ["north"] } }) };
       } };`,
    );
    const profiles = (room: string) =>
      `{ spawners: ["./mine.ts"], spawn: { profiles: [{ slug: "a", title: "A", spawner: "mine", fields: { room: { enum: ["${room}"] } } }] } }`;
    config(dir, profiles("south"));
    assert.match(
      elara(dir, "check").stdout,
      /FAULT +profiles: CONFIG_INVALID: spawn\.profiles\[0\]\.fields\.room: the spawner "mine" offers nothing/,
    );
    config(dir, profiles("north"));
    assert.match(elara(dir, "check").stdout, /ok +profiles: a/);
    const { stdout } = elara(dir, "plugins");
    assert.match(
      stdout,
      /spawner mine \(mine, around local\)\n[\s\S]*room = "north" \(choice of users\) +Where it/,
    );
  });

  test("holds spawners and profiles to the rules of their plugin, told at the option's path; a start does too", (t) => {
    const dir = folder(t);
    writeFileSync(
      join(dir, "mine.ts"),
      `import { PluginError, Type, wrapSpawner } from "@elara/sdk";
       import local from "@elara/spawner-local";
       const errors = { MINE_FULL: { status: 400, user: "No.", operator: "A room is full." } };
       const rooms = Type.Array(Type.Object({ name: Type.String(), seats: Type.Integer({ default: 1 }) }), { default: [], perStart: true });
       const wrapped = wrapSpawner(local, { name: "mine", options: { rooms }, request: () => { throw new RangeError("no such list"); } });
       export default { ...wrapped, errors, async setup(options, host) {
         return { ...(await wrapped.setup(options, host)), checkOptions({ rooms }) {
           const at = rooms.findIndex(({ seats }) => seats < 1 || seats > 9);
           if (at >= 0) throw new PluginError(errors, "MINE_FULL", { field: "rooms", operator: "rooms[" + at + "].seats: are none", detail: rooms[at].seats });
         } };
       } };`,
    );
    const profiles = (seats: number) =>
      `[{ slug: "a", title: "A", spawner: "mine", options: { rooms: [{ name: "x" }, { name: "y", seats: ${seats} }] } }]`;
    const mine = '{ use: "./mine.ts", options: { systemAccounts: false } }';
    config(dir, `{ spawners: [${mine}], spawn: { profiles: ${profiles(10)} } }`);
    const told = /spawn\.profiles\[0\]\.options\.rooms\[1\]\.seats: MINE_FULL: are none/;
    const { stdout } = elara(dir, "check");
    assert.match(stdout, new RegExp(`FAULT +profiles: CONFIG_INVALID: ${told.source} \\(10\\)`));
    assert.match(stdout, /FAULT +spawner mine: PLUGIN_INVALID: `request` .* sample user: no such list/);
    const started = elara(dir, "run", "all");
    assert.equal(started.status, 1);
    assert.match(started.stderr, new RegExp(`elara: CONFIG_INVALID: ${told.source}`));
    config(dir, `{ spawners: [{ use: "./mine.ts", options: { rooms: [{ name: "x", seats: 0 }] } }] }`);
    assert.match(
      elara(dir, "check").stdout,
      /FAULT +spawner mine: spawners\[0\]\.options\.rooms\[0\]\.seats: MINE_FULL: are none/,
    );
  });

  test("a hub without a spawner is told", (t) => {
    const dir = folder(t);
    config(dir, "{ spawners: [] }");
    for (const args of [["check"], ["run", "all"]])
      assert.match(elara(dir, ...args).stderr, /spawners: is empty, so nobody can start a server/);
  });

  test("options of a plugin beside `use` are told where they belong", (t) => {
    const dir = folder(t);
    config(
      dir,
      '{ authenticators: [{ use: "dummy", anyPassword: true }], spawners: [{ use: "local", options: { hosts: "x" }, portRange: [1, 2] }] }',
    );
    const { stderr } = elara(dir, "check");
    const belongs = "; options of a plugin go under `options`";
    assert.match(stderr, new RegExp(`authenticators\\[0\\]\\.anyPassword: unknown key; .*${belongs}`));
    assert.match(stderr, new RegExp(`spawners\\[0\\]\\.portRange: unknown key; .*${belongs}`));
    assert.match(stderr, /spawners\[0\]\.options\.hosts: unknown key; did you mean `host`\?$/m);
  });

  test("what a plugin's check throws is told with detail and causes, never with a secret", (t) => {
    const dir = folder(t);
    const password = 'p"w ü%\n-----MIDDLE LINE-----';
    writeFileSync(
      join(dir, "mine.ts"),
      `import { PluginError, Type, wrapSpawner } from "@elara/sdk";
       import local from "@elara/spawner-local";
       const text = (more) => Type.String({ default: "", description: "For the engine.", ...more });
       const keys = Type.Array(Type.Object({ key: text({ secret: true }) }, { additionalProperties: false }), { default: [] });
       const wrapped = wrapSpawner(local, { name: "mine", options: { keys, shown: text() } });
       const errors = { MINE_AWAY: { status: 503, user: "It is away.", operator: "The engine refused; see the detail." } };
       export default { ...wrapped, errors: { ...wrapped.errors, ...errors }, async setup(options, host) {
         return { ...(await wrapped.setup(options, host)), async check() {
           const [{ key }] = options.keys;
           const cause = new Error("login of " + encodeURIComponent(key) + " failed", { cause: new AggregateError([], "") });
           Object.assign(cause.cause, { code: "ECONNREFUSED" });
           throw new PluginError(errors, "MINE_AWAY", { detail: { given: key, shown: options.shown, line: key.split("\\n")[1], long: "y".repeat(5000) }, cause });
         } };
       } };`,
    );
    config(
      dir,
      '{ spawners: [{ use: "./mine.ts", options: { keys: [{ key: { env: "KEY" } }], shown: "a room" } }] }',
    );
    const { stdout } = elaraIn(dir, { KEY: password }, "check");
    const [told = ""] = stdout.split("\n").filter((line) => line.includes("spawner mine"));
    assert.match(told, /FAULT +spawner mine: MINE_AWAY: The engine refused; see the detail\. \(/);
    assert.match(told, /given: '\[secret\]', shown: 'a room'/);
    assert.match(told, /login of \[secret\] failed; ECONNREFUSED\)$/);
    assert.ok(told.length < 600, `it is short: ${told.length}`);
    for (const part of password.split("\n")) assert.ok(!stdout.includes(part), part);
    assert.ok(!stdout.includes(encodeURIComponent(password)));
  });

  test("hands a plugin's check the command and environment of its servers, also through a wrapper", (t) => {
    const dir = folder(t);
    writeFileSync(
      join(dir, "mine.ts"),
      `import { wrapSpawner } from "@elara/sdk";
       import local from "@elara/spawner-local";
       const setup = async (options, host) => ({
         ...(await local.setup(options, host)),
         check: async ({ argv, env }) => \`\${argv} with A=\${env.A} B=\${env.B}\`,
       });
       export default wrapSpawner({ ...local, setup }, { name: "mine" });`,
    );
    config(
      dir,
      `{ spawn: { command: ["lab"], args: ["--all"], environment: { A: "1", B: "2" } }, spawners: [
         { use: "./mine.ts" }, { use: "./mine.ts", name: "other", command: ["/opt/lab", "x"], environment: { B: "3" } },
       ] }`,
    );
    const { stdout } = elara(dir, "check");
    assert.match(stdout, /ok +spawner mine: lab,--all with A=1 B=2$/m);
    assert.match(stdout, /ok +spawner other: \/opt\/lab,x,--all with A=1 B=3$/m);
  });

  test("tells a spawner whose check hangs, and says nothing of one whose check has nothing to say", (t) => {
    const dir = folder(t);
    // Its time is over at once.
    writeFileSync(
      join(dir, "mine.ts"),
      `import { wrapSpawner } from "@elara/sdk";
       import local from "@elara/spawner-local";
       const later = globalThis.setTimeout;
       globalThis.setTimeout = (work, ms, ...rest) => later(work, ms === 180_000 ? 10 : ms, ...rest);
       const setup = async (options, host) => ({
         ...(await local.setup(options, host)),
         check: (server, { signal }) => {
           signal.addEventListener("abort", () => process.stderr.write("told to end\\n"));
           return options.host === "127.0.0.2" ? new Promise(() => {}) : Promise.resolve();
         },
       });
       export default wrapSpawner({ ...local, setup }, { name: "mine", request: () => ({}) });`,
    );
    config(
      dir,
      '{ spawners: [{ use: "./mine.ts" }, { use: "./mine.ts", name: "deaf", options: { host: "127.0.0.2" } }] }',
    );
    const { status, stdout, stderr } = elara(dir, "check");
    assert.match(stdout, /ok +spawner mine$/m);
    assert.match(stdout, /FAULT +spawner deaf: its check does not answer within 180 s$/m);
    assert.equal(status, 1);
    assert.match(stderr, /told to end/);
  });

  test("runs everything that plugins left for its end, whichever part fails, and leaves no folder", (t) => {
    const dir = folder(t);
    writeFileSync(
      join(dir, "mine.ts"),
      `import local from "@elara/spawner-local";
       export default { ...local, name: "mine", async setup(options, host) {
         process.stderr.write("in " + host.dataDir + "\\n");
         host.onClose(() => process.stderr.write("first was closed\\n"));
         host.onClose(() => { throw new TypeError("a synchronous one"); });
         return local.setup(options, host);
       } };`,
    );
    config(dir, '{ spawners: ["./mine.ts"] }');
    const { stdout, stderr } = elara(dir, "check");
    assert.match(stdout, /account of the servers/, stderr);
    assert.match(stderr, /first was closed/);
    const [, scratch = ""] = /^in (.*)$/m.exec(stderr) ?? [];
    assert.match(scratch, /elara-check-/);
    assert.ok(!existsSync(scratch), "its folder is left");
  });

  test("says that nobody gets in without an allow rule", (t) => {
    const dir = folder(t);
    config(dir, '{ authenticators: [{ use: "dummy", options: { anyPassword: true } }] }');
    assert.match(elara(dir, "check").stdout, /FAULT +who gets in: .*nobody gets in/);
  });

  test("a plugin that is not there or broken is told, never skipped", (t) => {
    const dir = folder(t);
    config(dir, '{ spawners: [{ use: "lokal" }] }');
    assert.match(elara(dir, "check").stderr, /spawners\[0\]\.use: PLUGIN_NOT_FOUND.*lokal/);
    writeFileSync(join(dir, "mine.ts"), "export default { kind: 'spawner', name: 'Mine' };\n");
    config(dir, '{ spawners: [{ use: "./mine.ts" }] }');
    assert.match(elara(dir, "check").stderr, /PLUGIN_INVALID.*`name` must be/);
  });

  test("a port in use is told with the option that changes it", async (t) => {
    const dir = folder(t);
    const server = createServer();
    await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
    t.after(() => server.close());
    const { port } = server.address() as AddressInfo;
    config(dir, `{ network: { port: ${port} } }`);
    assert.match(elara(dir, "check").stdout, new RegExp(`FAULT +port ${port}: PORT_TAKEN: .*--port`));
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
    config(dir, `{ ${allow}, proxy: { certificate: "/nowhere.pem" } }`);
    assert.match(elara(dir, "run", "all").stderr, /proxy\.certificate: \/nowhere\.pem cannot be read/);
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
