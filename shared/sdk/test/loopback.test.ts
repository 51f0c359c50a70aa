import assert from "node:assert/strict";
import { test } from "node:test";
import { isAccount, isLoopback } from "../src/index.ts";

test("each machine's own address is told from others that look like it", () => {
  for (const host of ["127.0.0.1", "127.8.8.8", "localhost", "::1", "[::1]"])
    assert.ok(isLoopback(host), host);
  for (const host of ["127.0.0.1.example.org", "localhost.example.org", "::10", "0.0.0.0", "10.127.0.1", ""])
    assert.ok(!isLoopback(host), host);
});

test("a name that could lead elsewhere is no account's", () => {
  for (const name of ["ada", "_ada", "ada.b@example.org", "a-b+c"]) assert.ok(isAccount(name), name);
  for (const name of ["", "-ada", ".ada", "a/b", "a b", "a\n", "a\0", "ä", "a".repeat(65)])
    assert.ok(!isAccount(name), JSON.stringify(name));
});
