import assert from "node:assert/strict";
import { test } from "node:test";
import { kept, withAllowRoot } from "../src/environment.ts";
import { folderName } from "../src/names.ts";

test("names become folder names that never meet", () => {
  assert.equal(folderName("ada.lovelace@example.org"), "ada.lovelace@example.org");
  const names = [
    "",
    "a",
    "A",
    "=41",
    ".",
    "..",
    "a/b",
    "a=2fb",
    "ä",
    "a\0",
    "==",
    "x".repeat(300),
    "x".repeat(301),
  ];
  const folders = names.map(folderName);
  assert.equal(new Set(folders.map((folder) => folder.toLowerCase())).size, names.length);
  for (const folder of folders) {
    assert.match(folder, /^[a-z0-9_@+=-][a-z0-9._@+=-]*$/);
    assert.ok(folder.length <= 255);
  }
});

test("only Jupyter, only as root, is told --allow-root, once", () => {
  const singleuser = ["/opt/venv/bin/jupyterhub-singleuser", "--debug"];
  assert.deepEqual(withAllowRoot(singleuser, true), [...singleuser, "--allow-root"]);
  assert.deepEqual(withAllowRoot(singleuser, false), singleuser);
  assert.deepEqual(withAllowRoot([...singleuser, "--allow-root"], true), [...singleuser, "--allow-root"]);
  assert.deepEqual(withAllowRoot(["python3", "-m", "jupyterhub.singleuser"], true).at(-1), "--allow-root");
  assert.deepEqual(withAllowRoot(["/opt/other"], true), ["/opt/other"]);
});

test("of the hub's environment a server gets what is named", () => {
  assert.deepEqual(kept(["PATH", "LANG"], { PATH: "/bin", ELARA_SECRET: "x" }), { PATH: "/bin" });
});
