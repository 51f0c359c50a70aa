import assert from "node:assert/strict";
import { test } from "node:test";
import { hashPassword, isPassword, PASSWORD_PATTERN } from "@elara/sdk";

test("a hash fits its password and no other, nor one that is too long; nobody's fits none", async () => {
  const hashed = await hashPassword("correct horse");
  assert.match(hashed, new RegExp(PASSWORD_PATTERN));
  assert.notEqual(hashed, await hashPassword("correct horse"), "each has a salt of its own");
  assert.equal(await isPassword("correct horse", hashed), true);
  assert.equal(await isPassword("battery staple", hashed), false);
  assert.equal(await isPassword("", undefined), false);
  assert.equal(await isPassword("x", "scrypt::"), false);
  const long = "x".repeat(1025);
  assert.equal(await isPassword(long, await hashPassword(long)), false);
});
