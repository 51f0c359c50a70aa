import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { describe, test } from "node:test";
import { open, seal } from "../src/aead.ts";

describe("a sealed text", () => {
  const key = randomBytes(32);
  const text = "søme text";
  const sealed = seal(key, text, "for ada");

  test("opens with its key, for what it was sealed for", () => {
    assert.equal(open(key, sealed, "for ada"), text);
    assert.notEqual(seal(key, text, "for ada"), sealed);
    assert.ok(!Buffer.from(sealed.split(".")[1] ?? "", "base64url").includes("text"));
  });

  test("does not open for anything else, nor cut short or changed anywhere", () => {
    const [iv = "", body = "", tag = ""] = sealed.split(".");
    const changed = (part: string) => `${part[0] === "A" ? "B" : "A"}${part.slice(1)}`;
    for (const wrong of [
      "",
      "x",
      body,
      [iv, body].join("."),
      [iv, body, tag, ""].join("."),
      [iv, body, tag.slice(0, 6)].join("."),
      [changed(iv), body, tag].join("."),
      [iv, changed(body), tag].join("."),
      [iv, body, changed(tag)].join("."),
    ])
      assert.throws(() => open(key, wrong, "for ada"), wrong);
    assert.throws(() => open(key, sealed, "for eve"));
    assert.throws(() => open(randomBytes(32), sealed, "for ada"));
  });
});
