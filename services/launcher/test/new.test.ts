import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { describe, type TestContext, test } from "node:test";
import { fileURLToPath } from "node:url";

const ELARA = fileURLToPath(new URL("../bin/elara.js", import.meta.url));

function folder(t: TestContext, name = ""): string {
  const dir = mkdtempSync(join(tmpdir(), `elara-new-${name}`));
  t.after(() => rmSync(dir, { recursive: true, force: true }));
  return dir;
}

/** A PATH with what a shell needs and nothing of the hub. */
const plain = ["/usr/bin", "/bin"].join(delimiter);

const makePlugin = (dir: string, env: NodeJS.ProcessEnv, ...more: string[]): string =>
  makePluginOf("spawner", dir, env, ...more);
const makePluginOf = (kind: string, dir: string, env: NodeJS.ProcessEnv, ...more: string[]): string => {
  const args = [ELARA, "new", kind, "demo", ...more];
  const { stdout } = spawnSync(process.execPath, args, { cwd: dir, encoding: "utf8", env });
  return stdout;
};
const stepOf = (printed: string, name: string): string =>
  new RegExp(`^${name}: +(.*)$`, "m").exec(printed)?.[1] ?? assert.fail(`no step "${name}" in ${printed}`);

test("new spawner, outside the hub's tree: its next steps can be run as they are printed, and its test passes", (t) => {
  const dir = folder(t, "it's here ");
  const printed = makePlugin(dir, { PATH: plain });
  assert.doesNotMatch(printed, /npx/);
  const { NODE_TEST_CONTEXT: _, ...env } = process.env;
  const run = (command: string) =>
    spawnSync("/bin/sh", ["-c", command], { cwd: dir, encoding: "utf8", env: { ...env, PATH: plain } });
  const tested = run(stepOf(printed, "Run its test"));
  assert.equal(tested.status, 0, tested.stdout + tested.stderr);
  assert.match(tested.stdout, /skipped 0/);

  const [, entry = "", config = ""] = /^(.*) in (.*)$/.exec(stepOf(printed, "Use it")) ?? [];
  writeFileSync(config, `export default { ${entry} };\n`);
  assert.match(run(stepOf(printed, "Then")).stdout, /ok +spawner demo/);
});

for (const more of [[], ["--redirect"]])
  test(`new authenticator ${more.join(" ")}, outside the hub's tree: its steps can be run as they are printed, nothing skipped`, (t) => {
    const dir = folder(t);
    const printed = makePluginOf("authenticator", dir, { PATH: plain }, ...more);
    const { NODE_TEST_CONTEXT: _, ...env } = process.env;
    const tested = spawnSync("/bin/sh", ["-c", stepOf(printed, "Run its test")], {
      cwd: dir,
      encoding: "utf8",
      env: { ...env, PATH: plain },
    });
    assert.equal(tested.status, 0, tested.stdout + tested.stderr);
    assert.match(tested.stdout, more.length > 0 ? /a foreign state is refused/ : /a wrong secret is refused/);
    assert.match(tested.stdout, /skipped 0/);

    const run = (command: string, input = "") =>
      spawnSync("/bin/sh", ["-c", command], {
        cwd: dir,
        encoding: "utf8",
        env: { ...env, PATH: plain },
        input,
      });
    const [, entry = "", config = ""] = /^(.*) in (.*)$/.exec(stepOf(printed, "Use it")) ?? [];
    writeFileSync(config, `export default { ${entry} };\n`);
    assert.match(run(stepOf(printed, "Then")).stdout, /ok +authenticator demo/);
    if (more.length > 0) return;
    const hash = run(stepOf(printed, "Its passwords"), "correct horse\n");
    assert.equal(hash.status, 0, hash.stderr);
    const users = `users: { ada: "${hash.stdout.trim()}" }`;
    writeFileSync(config, `export default { ${entry.replace("users: {}", users)} };\n`);
    assert.match(run(stepOf(printed, "Then")).stdout, /ok +authenticator demo/);
    const login = `import plugin from "./demo.ts";
      const { finish } = plugin.setup({ ${users} });
      for (const password of ["correct horse", "battery staple"])
        console.log((await finish({ input: { username: "Ada", password } }))?.subject);`;
    writeFileSync(join(dir, "log-in.ts"), login);
    const hook = import.meta.resolve("@elara/runtime/plugins/resolve-hook");
    const { stdout } = spawnSync(process.execPath, ["--import", hook, join(dir, "log-in.ts")], {
      encoding: "utf8",
      env,
    });
    assert.equal(stdout, "ada\nundefined\n");
    assert.match(run(stepOf(printed, "Its passwords"), "\n").stderr, /FIELD_INVALID: .*1 to 1024 characters/);
  });

describe("new prints the command that leads to this hub", () => {
  /** As an installation makes it. */
  const installed = (t: TestContext): string => {
    const bin = join(folder(t), "node_modules", ".bin");
    mkdirSync(bin, { recursive: true });
    symlinkSync(ELARA, join(bin, "elara"));
    return bin;
  };

  test("by its name where PATH does", (t) => {
    const PATH = [installed(t), plain].join(delimiter);
    assert.match(stepOf(makePlugin(folder(t), { PATH }), "Then"), /^elara check$/);
  });

  test("by its file where only npm's own PATH does, or another program has the name", (t) => {
    const bin = installed(t);
    const npm = { PATH: [bin, plain].join(delimiter), npm_execpath: "/usr/lib/npm-cli.js" };
    const other = folder(t);
    writeFileSync(join(other, "elara"), "#!/bin/sh\n", { mode: 0o755 });
    for (const env of [npm, { PATH: [other, plain].join(delimiter) }, { PATH: plain }])
      assert.ok(stepOf(makePlugin(folder(t), env), "Then").endsWith(`${ELARA} check`));
  });
});

test("new names the plugin as its configuration does, wherever it is written", (t) => {
  const dir = join(folder(t), "hub");
  mkdirSync(dir);
  writeFileSync(join(dir, "elara.config.ts"), "export default {};\n");
  const below = makePlugin(dir, { PATH: plain }, "--dir", "plugins/mine");
  assert.match(stepOf(below, "Use it"), /\{ use: "\.\/plugins\/mine\/demo\.ts" \}/);
  assert.doesNotMatch(below, /init/);
  const beside = makePlugin(dir, { PATH: plain }, "--dir", "..");
  assert.match(stepOf(beside, "Use it"), /\{ use: "\.\.\/demo\.ts" \}/);
});

test("new refuses the name of what comes with the hub, and writes nothing", (t) => {
  const dir = folder(t);
  for (const [kind, name] of [
    ["spawner", "docker"],
    ["authenticator", "pam"],
  ] as const) {
    const { status, stderr } = spawnSync(process.execPath, [ELARA, "new", kind, name], {
      cwd: dir,
      encoding: "utf8",
    });
    assert.equal(status, 1);
    assert.match(stderr, new RegExp(`FIELD_INVALID: The ${kind} "${name}" comes with the hub`));
  }
  assert.deepEqual(readdirSync(dir), []);
});
