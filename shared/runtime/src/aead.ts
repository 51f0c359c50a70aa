import { createCipheriv, createDecipheriv, randomBytes } from "node:crypto";

const TAG_BYTES = 16;

/** Seals a text with a key of 32 bytes, bound to `aad`: `iv.ciphertext.tag` of AES-256-GCM, each base64url. */
export function seal(key: Buffer, text: string, aad: string): string {
  const iv = randomBytes(12);
  const cipher = createCipheriv("aes-256-gcm", key, iv).setAAD(Buffer.from(aad));
  const body = Buffer.concat([cipher.update(text, "utf8"), cipher.final()]);
  return [iv, body, cipher.getAuthTag()].map((bytes) => bytes.toString("base64url")).join(".");
}

/** The text that `seal` sealed with this key for this `aad`. Throws for anything else. */
export function open(key: Buffer, sealed: string, aad: string): string {
  const parts = sealed.split(".").map((part) => Buffer.from(part, "base64url"));
  const [iv, body, tag] = parts;
  if (parts.length !== 3 || !iv || !body || !tag) throw new TypeError("not sealed");
  const decipher = createDecipheriv("aes-256-gcm", key, iv, { authTagLength: TAG_BYTES });
  decipher.setAAD(Buffer.from(aad)).setAuthTag(tag);
  return Buffer.concat([decipher.update(body), decipher.final()]).toString("utf8");
}
