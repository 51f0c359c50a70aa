import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import * as contracts from "@elara/contracts";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));
const files = execFileSync("git", ["ls-files", "*.ts", "*.py"], { cwd: ROOT, encoding: "utf8" })
  .trim()
  .split("\n");
const text = new Map(files.map((file) => [file, readFileSync(join(ROOT, file), "utf8")]));

test("no source file is longer than 500 lines", () => {
  const long = [...text].filter(([, source]) => source.split("\n").length > 500).map(([file]) => file);
  assert.deepEqual(long, []);
});

test("no drawers: utils, helpers, common, misc", () => {
  assert.deepEqual(
    files.filter((file) => /(^|\/)(utils?|helpers|common|misc)(\.ts|\/)/.test(file)),
    [],
  );
});

test("an index.ts only re-exports", () => {
  for (const [file, source] of text) {
    if (!/^(shared|services|plugins)\/[^/]+\/src\/index\.ts$/.test(file) || file.startsWith("plugins/"))
      continue;
    const other = source
      .split(/;\n/)
      .map((part) => part.trim())
      .filter((part) => part && !/^(\/\*[\s\S]*?\*\/\s*)?export\b[\s\S]*\bfrom\b/.test(part));
    assert.deepEqual(other, [], file);
  }
});

test("a collection is written by its owner only", () => {
  const declared: { name: string; variable: string; owner: string }[] = Object.entries(contracts).flatMap(
    ([variable, value]) =>
      typeof value === "object" && value !== null && "owner" in value && "indexes" in value
        ? [{ variable, name: String(value.name), owner: String(value.owner) }]
        : [],
  );
  assert.ok(declared.length >= 10);
  for (const [file, source] of text) {
    const [, service] = /^services\/([^/]+)\/src\//.exec(file) ?? [];
    if (!service || service === "launcher") continue;
    for (const { variable, owner } of declared) {
      if (owner.startsWith("every") || owner === service) continue;
      assert.ok(
        !new RegExp(`\\.collection\\(${variable}\\)`).test(source),
        `${file} opens ${variable}, which ${owner} writes; read through @elara/runtime/store/read`,
      );
    }
  }
});

test("what authenticators keep is opened by auth alone, and is in no read model", () => {
  for (const [file, source] of text) {
    if (!/^(services|shared|plugins)\//.test(file) || file.includes("/test/")) continue;
    if (file.startsWith("services/auth/") || file === "shared/contracts/src/documents/auth-state.ts")
      continue;
    assert.ok(!/\bauthStates\b|auth_states/.test(source), `${file} speaks of auth states`);
    if (!/^(shared\/runtime\/src\/keys|services\/launcher\/)/.test(file))
      assert.ok(!/\bauthStateRing\b/.test(source), `${file} takes the keys of auth states`);
  }
});

test("codes thrown by name stand in the table", () => {
  for (const [file, source] of text) {
    if (file.includes("/test/")) continue;
    for (const [, code = ""] of source.matchAll(/new HubError\(\s*"([A-Z_]+)"/g))
      assert.ok(code in contracts.ERRORS, `${file}: ${code}`);
  }
});
