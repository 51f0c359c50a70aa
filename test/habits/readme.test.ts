import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));
const rooms = ["services", "plugins", "shared"].flatMap((wing) =>
  readdirSync(join(ROOT, wing), { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map((entry) => `${wing}/${entry.name}`),
);

/** Paths in backticks or links that look like files of the tree. */
function* mentioned(file: string): Generator<string> {
  const text = readFileSync(join(ROOT, file), "utf8");
  for (const [, path = ""] of text.matchAll(/`([\w./-]+\/[\w.-]+\.(?:ts|py|md|json|service|liquid))`/g))
    yield path;
  for (const [, path = ""] of text.matchAll(/\]\(((?!https?:|#)[^)#]+)/g)) yield join(dirname(file), path);
}

test("every file the README names exists", () => {
  const missing = [...mentioned("README.md")].filter((path) => !existsSync(join(ROOT, path)));
  assert.deepEqual(missing, []);
});

test("the README's flow table has the nine steps of the main path, each with files", () => {
  const rows = [
    ...readFileSync(join(ROOT, "README.md"), "utf8").matchAll(/^\| ([1-9]) .*`[^`]+\.(?:ts|py)`.*\|$/gm),
  ];
  assert.deepEqual(
    rows.map(([, step]) => step),
    ["1", "2", "3", "4", "5", "6", "7", "8", "9"],
  );
});

test("each room has a README; those below the root have at most 60 lines, and links that lead somewhere", () => {
  const inRooms = rooms.map((room) => `${room}/README.md`);
  const tracked = execFileSync("git", ["ls-files", "*/README.md"], { cwd: ROOT, encoding: "utf8" });
  for (const file of new Set([...inRooms, ...tracked.trim().split("\n")])) {
    assert.ok(existsSync(join(ROOT, file)), `${file} is missing`);
    const lines = readFileSync(join(ROOT, file), "utf8").trimEnd().split("\n").length;
    assert.ok(lines <= 60, `${file} has ${lines} lines`);
    for (const [, path = ""] of readFileSync(join(ROOT, file), "utf8").matchAll(/\]\(((?!https?:|#)[^)#]+)/g))
      assert.ok(existsSync(join(ROOT, dirname(file), path)), `${file} links to ${path}`);
  }
});
