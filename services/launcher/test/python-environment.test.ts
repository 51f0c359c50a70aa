import assert from "node:assert/strict";
import { mkdirSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { pythonEnvironment } from "../src/python-environment.ts";
import { folder } from "./fixtures/command.ts";

/** Answers as a Python that can make environments, and makes one of itself. */
const PYTHON = `#!/bin/sh
case "$*" in
  *" venv "*) for last; do :; done; mkdir -p "$last/bin" && cp "$0" "$last/bin/python" ;;
  *install*) : ;;
  *) echo 3.11 ;;
esac
`;

test("servers of other accounts can use the environment, however closed the hub's own files are", async (t) => {
  const dir = folder(t);
  mkdirSync(join(dir, "bin"));
  writeFileSync(join(dir, "bin", "python3"), PYTHON, { mode: 0o755 });
  const [path, mask] = [process.env.PATH, process.umask(0o077)];
  t.after(() => {
    process.env.PATH = path;
    process.umask(mask);
  });
  process.env.PATH = `${join(dir, "bin")}:/usr/bin:/bin`;
  const data = join(dir, "data");
  const { bin, origin } = await pythonEnvironment(data, () => {});
  const mode = (path: string): string => (statSync(path).mode & 0o777).toString(8);
  assert.equal(origin, "made");
  assert.deepEqual([mode(data), mode(bin), mode(join(bin, "python"))], ["711", "755", "755"]);
  assert.equal(process.umask(), 0o077, "the hub's own files stay closed");
});
