import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { test } from "node:test";
import { type Json, pickled } from "../src/pickle.ts";

/** What Python's own pickle reads, as JSON. */
const readByPython = (value: Json): unknown =>
  JSON.parse(
    execFileSync(
      "python3",
      ["-c", "import json, pickle, sys; json.dump(pickle.load(sys.stdin.buffer), sys.stdout)"],
      { input: pickled(value), encoding: "utf8" },
    ),
  );

test("Python's pickle reads the same back", () => {
  const value: Json = {
    "": null,
    yes: true,
    no: false,
    numbers: [
      0,
      1,
      -1,
      255,
      65_536,
      2 ** 31 - 1,
      2 ** 31,
      -(2 ** 31),
      -(2 ** 31) - 1,
      2 ** 53 - 1,
      1.5,
      -2e-9,
    ],
    texts: ["", "ä€🙂", "\0'\"\\\n", "x".repeat(70_000)],
    nested: { list: [[], {}, [[{ deep: [1] }]]], "a key": { "another one": "" } },
  };
  assert.deepEqual(readByPython(value), value);
});

test("whole numbers stay whole, others stay floats", () => {
  const kinds = execFileSync(
    "python3",
    ["-c", "import pickle, sys; print([type(x).__name__ for x in pickle.load(sys.stdin.buffer)])"],
    { input: pickled([1, 2 ** 40, 1.5, true, null, "", [], {}]), encoding: "utf8" },
  );
  assert.equal(kinds.trim(), "['int', 'int', 'float', 'bool', 'NoneType', 'str', 'list', 'dict']");
});

test("half a surrogate pair, which no Python can encode, becomes a replacement sign", () => {
  assert.equal(readByPython("a\ud800b"), "a\ufffdb");
});
