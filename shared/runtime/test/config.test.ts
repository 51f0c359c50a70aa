import assert from "node:assert/strict";
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, test } from "node:test";
import { codeOf, HubError } from "@elara/contracts";
import { Type } from "typebox";
import { faultsOf } from "../src/config/faults.ts";
import { evaluateConfig, findConfig } from "../src/config/load.ts";
import { nearest } from "../src/config/nearest.ts";
import { withDefaults, withSecrets } from "../src/config/resolve.ts";
import { writtenSchema } from "../src/config/schema.ts";

const Schema = Type.Object(
  {
    network: Type.Object(
      {
        port: Type.Integer({ default: 8000, minimum: 0, maximum: 65535 }),
        host: Type.String({ default: "127.0.0.1" }),
      },
      { additionalProperties: false },
    ),
    password: Type.String({ default: "", secret: true }),
    mode: Type.Union([Type.Literal("fast"), Type.Literal("safe")], { default: "safe" }),
    names: Type.Array(Type.String(), { default: [] }),
  },
  { additionalProperties: false },
);
const written = writtenSchema(Schema);

function folder(t: { after(fn: () => void): void }): string {
  const dir = mkdtempSync(join(tmpdir(), "elara-config-"));
  t.after(() => rmSync(dir, { recursive: true }));
  return dir;
}

describe("faults of a configuration", () => {
  test("an empty one has none", () => assert.deepEqual(faultsOf(written, {}), []));

  test("all are told at once, each with its path and the nearest right key", () => {
    const faults = faultsOf(written, {
      netwrok: {},
      network: { prot: 1, host: 3, port: 70000 },
      names: ["a", 4],
      mode: "slow",
    });
    const told = Object.fromEntries(faults.map(({ path, message }) => [path, message]));
    assert.match(told.netwrok ?? "", /unknown key; did you mean `network`/);
    assert.match(told["network.prot"] ?? "", /did you mean `port`/);
    assert.match(told["network.host"] ?? "", /must be string, got 3/);
    assert.match(told["network.port"] ?? "", /65535, got 70000/);
    assert.match(told["names[1]"] ?? "", /must be string, got 4/);
    assert.match(told.mode ?? "", /"fast" or "safe", got "slow"/);
    assert.equal(faults.length, 6);
  });

  test("a secret written inline is refused and not repeated", () => {
    const [fault, ...more] = faultsOf(written, { password: "hunter2hunter2" });
    assert.equal(fault?.path, "password");
    assert.match(fault?.message ?? "", /\{ env: NAME \} or \{ file: PATH \}, never inline/);
    assert.ok(!fault?.message.includes("hunter2"));
    assert.deepEqual(more, []);
  });

  test("a secret by reference is fine", () => {
    assert.deepEqual(faultsOf(written, { password: { env: "X" } }), []);
    assert.deepEqual(faultsOf(written, { password: { file: "/x" } }), []);
  });
});

test("defaults are filled in at every depth", () => {
  assert.deepEqual(withDefaults(Schema, { network: { port: 1 } }), {
    network: { port: 1, host: "127.0.0.1" },
    password: "",
    mode: "safe",
    names: [],
  });
});

test("entries of a list have defaults and secrets too", (t) => {
  const Host = Type.Object(
    {
      host: Type.String(),
      port: Type.Integer({ default: 22 }),
      token: Type.String({ default: "", secret: true }),
    },
    { additionalProperties: false },
  );
  const Hosts = Type.Object({ hosts: Type.Array(Host, { minItems: 1 }) }, { additionalProperties: false });
  const given = { hosts: [{ host: "a" }, { host: "b", port: 23, token: { env: "ELARA_TEST_LISTED" } }] };
  assert.deepEqual(faultsOf(writtenSchema(Hosts), given), []);
  assert.deepEqual(
    faultsOf(writtenSchema(Hosts), { hosts: [{ port: "x" }] }).map(({ path }) => path),
    ["hosts[0].host", "hosts[0].port"],
  );
  assert.equal(faultsOf(writtenSchema(Hosts), { hosts: [] }).length, 1);
  process.env.ELARA_TEST_LISTED = "told";
  t.after(() => delete process.env.ELARA_TEST_LISTED);
  assert.deepEqual(withSecrets(Hosts, withDefaults(Hosts, given), "/elara.config.ts", ""), {
    hosts: [
      { host: "a", port: 22, token: "" },
      { host: "b", port: 23, token: "told" },
    ],
  });
});

test("an optional section that is not written stays unsaid, in an entry of a list too", () => {
  const Entry = Type.Object({
    name: Type.String(),
    for: Type.Optional(Type.Object({ admins: Type.Boolean({ default: false }) })),
  });
  const Entries = Type.Object({ entries: Type.Array(Entry) });
  const written = { entries: [{ name: "a" }, { name: "b", for: {} }] };
  assert.deepEqual(withDefaults(Entries, written), {
    entries: [{ name: "a" }, { name: "b", for: { admins: false } }],
  });
});

describe("secrets", () => {
  test("come from the environment or a private file, relative to the configuration", (t) => {
    const dir = folder(t);
    writeFileSync(join(dir, "secret"), "from-file\n", { mode: 0o600 });
    process.env.ELARA_TEST_SECRET = "from-env";
    const resolve = (password: unknown) =>
      withSecrets(Schema, { password }, join(dir, "elara.config.ts"), "");
    assert.deepEqual(resolve({ env: "ELARA_TEST_SECRET" }), { password: "from-env" });
    assert.deepEqual(resolve({ file: "secret" }), { password: "from-file" });
    assert.throws(
      () => resolve({ env: "ELARA_NOT_SET" }),
      (error) => codeOf(error) === "CONFIG_SECRET_MISSING",
    );
    assert.throws(
      () => resolve({ file: "nowhere" }),
      (error) => codeOf(error) === "CONFIG_SECRET_MISSING",
    );
  });

  test("a file others can read is refused", (t) => {
    const file = join(folder(t), "secret");
    writeFileSync(file, "text");
    chmodSync(file, 0o644);
    assert.throws(
      () => withSecrets(Schema, { password: { file } }, "/x", ""),
      (error) => codeOf(error) === "CONFIG_SECRET_READABLE",
    );
  });
});

const told = (pattern: RegExp) => (error: unknown) =>
  error instanceof HubError && pattern.test(error.operator);

describe("the file", () => {
  const evaluated = async (t: { after(fn: () => void): void }, source: string): Promise<unknown> => {
    const file = join(folder(t), "elara.config.ts");
    writeFileSync(file, source);
    return evaluateConfig(file);
  };

  test("is TypeScript, from anywhere, and may import defineConfig", async (t) => {
    const source =
      'import { defineConfig } from "@elara/launcher";\nconst port: number = 9000;\nexport default defineConfig({ network: { port } });\n';
    assert.deepEqual(await evaluated(t, source), { network: { port: 9000 } });
  });

  test("what is no plain data is refused with its path", async (t) => {
    await assert.rejects(
      evaluated(t, "export default { spawn: { command: () => 1 } };"),
      told(/spawn\.command: is a function/),
    );
  });

  test("a syntax error, a throw and a missing default are told", async (t) => {
    await assert.rejects(evaluated(t, "export default {"), (error) => codeOf(error) === "CONFIG_INVALID");
    await assert.rejects(evaluated(t, 'throw new Error("boom");'), told(/boom/));
    await assert.rejects(evaluated(t, "export const x = 1;"), told(/default export/));
  });

  test("a given one that is not there is an error; none given is not", (t) => {
    assert.throws(
      () => findConfig(join(folder(t), "nope.ts")),
      (error) => codeOf(error) === "CONFIG_NOT_FOUND",
    );
  });
});

test("the nearest word is found, a far one is not", () => {
  const words = ["allowedUsers", "adminUsers", "allowAll"];
  assert.equal(nearest("allowed_users", words), "allowedUsers");
  assert.equal(nearest("alowAll", words), "allowAll");
  assert.equal(nearest("colour", words), undefined);
});

test("what does not match a pattern is told what is meant, where the schema says it", () => {
  const name = Type.String({ pattern: "^\\S+$", description: "The name as in its address." });
  assert.deepEqual(faultsOf(Type.Object({ names: Type.Array(name) }), { names: ["My Org"] }), [
    { path: "names[0]", message: 'does not match ^\\S+$, got "My Org". The name as in its address.' },
  ]);
});
