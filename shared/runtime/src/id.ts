import { createHash, randomBytes } from "node:crypto";

const ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz";

/** A new opaque id: 26 lower-case letters and digits, 130 random bits. Never re-used, safe as a bus subject token. */
export function newId(): string {
  let id = "";
  for (const byte of randomBytes(26)) id += ALPHABET[byte & 31];
  return id;
}

/** SHA-256 in hex: how a credential stands in the store and on the bus. */
export const digest = (text: string): string => createHash("sha256").update(text).digest("hex");
