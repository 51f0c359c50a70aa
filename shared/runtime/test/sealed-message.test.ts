import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { preSpawnContext } from "@elara/contracts";
import { messageKey, sealMessage } from "../src/sealed-message.ts";

describe("a sealed message", () => {
  const key = messageKey();
  const text = JSON.stringify({ TOKEN: "a secret with ü", EMPTY: "" });
  const sealed = sealMessage(text, key.publicKey, "one");

  test("opens for the key it was sealed for, in its context, and shows nothing of the text", () => {
    assert.equal(key.open(sealed, "one"), text);
    for (const part of sealed.split("."))
      assert.ok(!Buffer.from(part, "base64url").toString("utf8").includes("secret"));
    assert.notEqual(sealMessage(text, key.publicKey, "one"), sealed, "sealed anew it is another");
  });

  test("opens for no other key, context or version, and not when a part was changed or exchanged", () => {
    const other = messageKey();
    assert.throws(() => other.open(sealed, "one"));
    assert.throws(() => key.open(sealed, "two"));
    assert.throws(() => key.open(sealed.replace("v1.", "v2."), "one"));
    const parts = sealed.split(".");
    const another = sealMessage(text, key.publicKey, "one").split(".");
    for (const index of [1, 2, 3, 4]) {
      const mixed = parts.map((part, at) => (at === index ? (another[at] ?? "") : part)).join(".");
      assert.throws(() => key.open(mixed, "one"), `part ${index}`);
    }
    for (const cut of ["", "v1", sealed.slice(0, -4), `${sealed}.x`])
      assert.throws(() => key.open(cut, "one"));
  });

  test("is made for no key that gives everybody the same secret, nor for what is none", () => {
    for (const bytes of [Buffer.alloc(32), Buffer.from([1, ...Buffer.alloc(31)]), Buffer.alloc(31, 7)])
      assert.throws(() => sealMessage(text, bytes.toString("base64url"), "one"));
  });

  test("names of starts do not run into each other", () => {
    const contexts = [
      { userId: "a", serverId: "b1", generation: 2 },
      { userId: "a", serverId: "b", generation: 12 },
      { userId: "ab", serverId: "1", generation: 2 },
    ].map(preSpawnContext);
    assert.equal(new Set(contexts).size, contexts.length);
  });
});
