import assert from "node:assert/strict";
import { test } from "node:test";
import { shellLine } from "../src/index.ts";

test("plain words stay, everything else is one single-quoted word", () => {
  assert.equal(shellLine(["ls", "-l", "/a/b.c"]), "ls -l /a/b.c");
  assert.equal(shellLine(["a b", "", "$(id)", "it's", "~", "a=b"]), `'a b' '' '$(id)' 'it'\\''s' '~' 'a=b'`);
});

test("what cannot be an argument is refused", () => {
  assert.throws(() => shellLine([]), TypeError);
  assert.throws(() => shellLine(["a\0b"]), TypeError);
});
