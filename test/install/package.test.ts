import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import { type TestContext, test } from "node:test";
import { makeArchive } from "@elara/package";

const FILES = {
  "package.json": JSON.stringify({ name: "tree", private: true, workspaces: ["services/*"] }),
  ".gitignore": "node_modules\n*.ignored\n",
  "deploy/compose/elara.env": "ELARA_CRYPT_KEY=\n",
  "services/launcher/package.json": JSON.stringify({ name: "@elara/launcher", version: "1.0.0" }),
  "services/launcher/src/main.ts": "",
  ...Object.fromEntries(
    ["README.md", "CHANGELOG.md", "CONFIG.md", "ERRORS.md", "EVENTS.md", "LICENSE"].map((name) => [name, ""]),
  ),
};

const git = (root: string, ...args: string[]): string =>
  execFileSync("git", ["-c", "user.name=t", "-c", "user.email=t@example.org", ...args], {
    cwd: root,
    encoding: "utf8",
  }).trim();

/** A tree in small, with a room and papers, packed on request. */
function tree(t: TestContext) {
  const home = mkdtempSync(join(tmpdir(), "elara-tree-"));
  t.after(() => rmSync(home, { recursive: true, force: true }));
  const root = join(home, "tree");
  const write = (path: string, text: string): void => {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), text);
  };
  for (const [path, text] of Object.entries(FILES)) write(path, text);
  mkdirSync(join(root, "node_modules/@elara"), { recursive: true });
  symlinkSync("../../services/launcher", join(root, "node_modules/@elara/launcher"));
  const pack = async (dirty = false) => {
    const archive = await makeArchive(join(home, "dist"), { root, dirty, node: "/bin/true" });
    execFileSync("tar", ["-xzf", archive.file, "-C", home]);
    const at = (path: string): string => join(home, archive.folder, path);
    return {
      archive,
      has: (path: string) => existsSync(at(path)),
      text: (path: string) => readFileSync(at(path), "utf8"),
    };
  };
  return { root, write, pack };
}

test("what git does not keep stays behind", async (t) => {
  const { root, write, pack } = tree(t);
  git(root, "init", "--quiet");
  git(root, "add", ".");
  git(root, "commit", "--quiet", "-m", "first");
  write("deploy/compose/my.env", "SECRET=1");
  write("services/launcher/src/notes.ignored", "SECRET=1");
  write("services/launcher/src/draft/new.ts", "");
  const { archive, has, text } = await pack();
  assert.ok(has("deploy/compose/elara.env") && has("services/launcher/src/main.ts"));
  for (const path of [
    "deploy/compose/my.env",
    "services/launcher/src/notes.ignored",
    "services/launcher/src/draft",
  ])
    assert.ok(!has(path), path);
  const commit = git(root, "rev-parse", "HEAD");
  assert.equal(JSON.parse(text("package.json")).commit, commit);
  assert.equal(archive.source, `commit ${commit}`);
});

test("a file of the commit that was filled in is refused by name, or marked", async (t) => {
  const { root, write, pack } = tree(t);
  git(root, "init", "--quiet");
  git(root, "add", ".");
  git(root, "commit", "--quiet", "-m", "first");
  write("deploy/compose/elara.env", "ELARA_CRYPT_KEY=0123\n");
  await assert.rejects(pack(), /1 files differ from the commit: deploy\/compose\/elara\.env\. .*--dirty/);
  write("services/launcher/src/new.ts", "");
  write("services/launcher/src/notes.ignored", "SECRET=1");
  const { archive, has } = await pack(true);
  assert.ok(has("services/launcher/src/new.ts"), "what a changed file may need");
  assert.ok(!has("services/launcher/src/notes.ignored"));
  assert.match(basename(archive.file), /^elara-[\d.]+-dirty-linux-/);
  assert.match(archive.folder, /-dirty$/);
  assert.match(archive.source, /, with 2 files changed or added$/);
});

test("a checkout of somebody else is read all the same", {
  skip: process.getuid?.() === 0 ? false : "needs root: files of another account",
}, async (t) => {
  const { root, pack } = tree(t);
  git(root, "init", "--quiet");
  git(root, "add", ".");
  git(root, "commit", "--quiet", "-m", "first");
  execFileSync("chown", ["-R", "65534:65534", root]);
  assert.match((await pack()).archive.source, /^commit [0-9a-f]{40}$/);
});

test("an exported tree without git is packed as it stands, and that is said", async (t) => {
  const { pack } = tree(t);
  const { archive, has } = await pack();
  assert.ok(has("deploy/compose/elara.env"));
  assert.match(archive.source, /no git checkout/);
});
