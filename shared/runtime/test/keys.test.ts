import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { describe, test } from "node:test";
import { cryptKeysIn } from "../src/crypt-keys.ts";
import { keysFrom } from "../src/keys.ts";

describe("crypt keys are read as JupyterHub reads JUPYTERHUB_CRYPT_KEY", () => {
  const one = Buffer.from("0123456789abcdefghijklmnopqrstuv");
  const two = randomBytes(32);

  test("as hex, base64 (both alphabets, padded or not) or raw, several with `;`", () => {
    const spellings = [
      one.toString("hex"),
      one.toString("hex").toUpperCase(),
      one.toString("base64"),
      one.toString("base64url"),
      one.toString("latin1"),
    ];
    for (const text of spellings)
      assert.deepEqual(cryptKeysIn(`${text};${two.toString("hex")}`, "x"), [one, two], text);
    assert.deepEqual(cryptKeysIn(` ${two.toString("base64")} ; ${one.toString("hex")};`, "x"), [two, one]);
  });

  test("what is too short is refused by its place, and the key is not told", () => {
    const short = "0123456789abcdef0123456789abcde";
    assert.throws(
      () => cryptKeysIn(`${one.toString("hex")};${short}`, "secrets.cryptKey"),
      (error: unknown) => {
        const { code, operator }: { code?: string; operator?: string } = Object(error);
        assert.equal(code, "CONFIG_SECRET_MISSING");
        assert.match(operator ?? "", /secrets\.cryptKey: key 2 has 31 bytes/);
        assert.ok(!operator?.includes(short));
        return true;
      },
    );
  });
});

describe("keys", () => {
  const cookieSecret = Buffer.alloc(32, 1);
  const [first, second] = [Buffer.alloc(32, 2), Buffer.alloc(32, 3)];

  test("the first crypt key of the ring seals; one that was behind another keeps its name when it stands alone", () => {
    const ring = keysFrom({ cookieSecret, cryptKey: [first, second] }).authStateRing;
    assert.equal(ring.length, 2);
    assert.notEqual(ring[0].kid, ring[1]?.kid);
    assert.deepEqual(keysFrom({ cookieSecret, cryptKey: second }).authStateRing, [ring[1]]);
  });

  test("other crypt keys leave the hub's id and its servers' tags as they are", () => {
    const [before, after] = [first, [second, first]].map((cryptKey) => keysFrom({ cookieSecret, cryptKey }));
    assert.equal(after?.hubId, before?.hubId);
    assert.deepEqual(after?.derive("tag"), before?.derive("tag"));
    assert.equal(after?.fingerprint, before?.fingerprint);
    const other = keysFrom({ cookieSecret: second, cryptKey: first });
    assert.notEqual(other.fingerprint, before?.fingerprint);
  });
});
