import assert from "node:assert/strict";
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { type AddressInfo, createServer } from "node:net";
import { join } from "node:path";
import { describe, test } from "node:test";
import { authStates } from "@elara/contracts";
import { keysFrom } from "@elara/runtime/keys";
import { sqliteStore } from "@elara/runtime/store/sqlite";
import { pino } from "pino";
import { config, elara, elaraIn, folder } from "./fixtures/command.ts";

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

  test("finds a callback that leads to another authenticator; OAUTH_CALLBACK_URL is right for each of two", (t) => {
    const dir = folder(t);
    const github = (options: string) => `{ use: "github", options: ${options} }`;
    const globus = '{ use: "globus", options: { identityProvider: "uni.example" } }';
    const own = '{ callbackUrl: "https://hub.example/hub/oauth_callback", githubUrl: "http://127.0.0.1:1" }';
    const env = {
      OAUTH_CLIENT_ID: "x",
      OAUTH_CLIENT_SECRET: "y",
      OAUTH2_AUTHORIZE_URL: "http://127.0.0.1:1",
    };
    const told = (entries: string[], more = {}) => {
      config(dir, `{ authenticators: [${entries.join(", ")}] }`);
      return elaraIn(dir, { ...env, ...more }, "check").stdout;
    };
    assert.match(
      told([globus, github(own)]),
      /FAULT +authenticator github: .*`callbackUrl` has the path \/hub\/oauth_callback; .*\/hub\/oauth_callback\/github/,
    );
    const variable = { OAUTH_CALLBACK_URL: "https://hub.example/hub/oauth_callback" };
    const both = told([globus, github('{ githubUrl: "http://127.0.0.1:1" }')], variable);
    for (const name of ["globus", "github"])
      assert.match(both, new RegExp(`FAULT +authenticator ${name}: .*could not be asked`));
  });

  test("tells what plugins warn of, without secrets, and that users of one account can read what log-ins bring", (t) => {
    const dir = folder(t);
    writeFileSync(
      join(dir, "mine.ts"),
      `import dummy from "@elara/auth-dummy";
       export default { ...dummy, name: "mine", async setup(options, host) {
         host.log.info({}, "all is open");
         host.log.warn({ option: "door", of: [options.password] }, "the door is open");
         return { ...(await dummy.setup(options, host)), preSpawn: async () => ({}) };
       } };`,
    );
    const told = (spawner: string) => {
      config(
        dir,
        `{ authenticators: [{ use: "./mine.ts", options: { password: { env: "DUMMY" } } }], spawners: [${spawner}] }`,
      );
      return elaraIn(dir, { DUMMY: "of-dummy-1" }, "check").stdout;
    };
    const shared = told('"local"');
    assert.match(
      shared,
      /^ {2}note +authenticator mine: the door is open \(option: door; of: \[secret\]\)$/m,
    );
    assert.doesNotMatch(shared, /all is open|of-dummy-1/);
    assert.match(
      shared,
      /^ {2}note +variables of log-ins: mine brings .*local.* one account.*can read.*systemAccounts/m,
    );
    assert.doesNotMatch(told('{ use: "local", options: { systemAccounts: true } }'), /variables of log-ins/);
  });

  test("finds in tokens of services what a start refuses", (t) => {
    const dir = folder(t);
    const told = (variables: Record<string, string>) => {
      const names = Object.keys(variables);
      const services = names.map((name) => `{ name: "${name.toLowerCase()}", token: { env: "${name}" } }`);
      config(dir, `{ auth: { services: [${services.join(", ")}] } }`);
      return elaraIn(dir, variables, "check").stdout;
    };
    const long = "0123456789abcdef";
    assert.match(told({ A: long, B: "b".repeat(16) }), /ok +section auth/);
    assert.match(
      told({ A: "abc" }),
      /FAULT +section auth: CONFIG_INVALID: auth\.services\[0\]\.token: has 3 char/,
    );
    assert.match(
      told({ A: "" }),
      /FAULT +section auth: CONFIG_SECRET_MISSING: auth\.services\[0\]\.token: .* A /,
    );
    const twice = told({ A: long, B: long });
    assert.match(
      twice,
      /FAULT +section auth: .*auth\.services\[1\]\.token: is the token of another service too/,
    );
    assert.doesNotMatch(twice, new RegExp(long));
  });

  test("says that nobody gets in without an allow rule", (t) => {
    const dir = folder(t);
    config(dir, '{ authenticators: [{ use: "dummy", options: { anyPassword: true } }] }');
    assert.match(elara(dir, "check").stdout, /FAULT +who gets in: .*nobody gets in/);
  });

  test("says who gets in by which authenticator, and which names more than one may claim", (t) => {
    const dir = folder(t);
    const dummy = (name: string, more = "") =>
      `{ use: "dummy", name: "${name}", options: { anyPassword: true }, ${more} }`;
    const told = (entries: string[], auth = "{}") => {
      config(dir, `{ authenticators: [${entries.join(", ")}], auth: ${auth} }`);
      return /^ +(ok|FAULT) +who gets in: (.*)$/m.exec(elara(dir, "check").stdout)?.slice(1).join(" ");
    };
    assert.equal(
      told([dummy("one", 'allowedUsers: ["ada"], adminUsers: ["root"]'), dummy("two")]),
      "ok one: 2 named users; two: nobody",
    );
    const shared = told([dummy("one"), dummy("two")], '{ allowedUsers: ["ada"] }');
    assert.match(
      shared ?? "",
      /^ok one: 1 named user; two: 1 named user; the names under `auth` may be claimed/,
    );
    assert.match(
      told([dummy("one", "allowAll: false")], "{ allowAll: true }") ?? "",
      /^FAULT .*nobody gets in/,
    );
  });

  test("takes JUPYTERHUB_CRYPT_KEY as JupyterHub does, and tells which of its keys is none", (t) => {
    const dir = folder(t);
    config(dir, "{}");
    const good = `${"ab".repeat(32)};${Buffer.alloc(32, 7).toString("base64")}`;
    assert.match(elaraIn(dir, { JUPYTERHUB_CRYPT_KEY: good }, "check").stdout, /ok +secrets/);
    const { stdout } = elaraIn(dir, { JUPYTERHUB_CRYPT_KEY: `${good};short` }, "check");
    assert.match(
      stdout,
      /FAULT +secrets: CONFIG_SECRET_MISSING: secrets\.cryptKey \(JUPYTERHUB_CRYPT_KEY\): key 3 has/,
    );
    for (const none of [" ", ";;;"])
      assert.match(
        elaraIn(dir, { JUPYTERHUB_CRYPT_KEY: none }, "check").stdout,
        /FAULT +secrets: CONFIG_SECRET_MISSING: secrets\.cryptKey \(JUPYTERHUB_CRYPT_KEY\): is set and holds no key/,
      );
    assert.doesNotMatch(stdout, /abab/);
  });

  test("counts what a hub that does not run has kept of log-ins and the keys do not open, and writes nothing", async (t) => {
    const dir = folder(t);
    config(dir, `{ store: { file: "${join(dir, "elara-data/kept.sqlite")}" } }`);
    const told = () => /^ +(ok|FAULT) +kept log-ins: (.*)$/m.exec(elara(dir, "check").stdout)?.slice(1);
    assert.deepEqual(told(), ["ok", "none"]);
    const data = join(dir, "elara-data");
    const keys = [Buffer.alloc(32, 1), Buffer.alloc(32, 2), Buffer.alloc(32, 3)];
    const writeKeys = (...those: Buffer[]) =>
      writeFileSync(join(data, "crypt_key"), those.map((key) => key.toString("hex")).join(";"), {
        mode: 0o600,
      });
    mkdirSync(data);
    writeKeys(...keys);
    const store = await sqliteStore({ file: join(dir, "writing.sqlite"), log: pino({ level: "silent" }) });
    t.after(() => store.close());
    const at = "2026-01-01T00:00:00.000Z";
    for (const [index, { kid }] of keysFrom({
      cookieSecret: Buffer.alloc(32),
      cryptKey: keys,
    }).authStateRing.entries())
      await store.collection(authStates).insert({
        _id: `${index}`.repeat(64),
        v: 1,
        userId: "",
        userName: "ada",
        authenticator: "github",
        kid,
        sealed: "",
        createdAt: at,
        endedAt: "",
        dueAt: at,
        tries: 0,
      });
    // As a killed hub leaves it: nothing has come from the log into the file yet.
    for (const end of ["", "-wal"])
      copyFileSync(join(dir, `writing.sqlite${end}`), join(data, `kept.sqlite${end}`));
    const held = () =>
      readdirSync(data).map((name) => [name, readFileSync(join(data, name)).toString("base64")]);
    const before = held();
    assert.deepEqual(told(), ["ok", "3, and the configured keys open all"]);
    assert.deepEqual(held(), before);
    writeKeys(Buffer.alloc(32, 9), Buffer.alloc(32, 2));
    const [word, words = ""] = told() ?? [];
    assert.equal(word, "FAULT");
    assert.match(words, /^AUTH_STATE_UNREADABLE: 2 of 3 .*secrets\.cryptKey.*behind the new one/);
    rmSync(join(data, "crypt_key"));
    assert.match(
      told()?.join(" ") ?? "",
      /^FAULT AUTH_STATE_UNREADABLE: 3 of 3 .*a start would make a new key/,
    );
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
