import { createHmac } from "node:crypto";

const ALPHABET = "abcdefghijklmnopqrstuvwxyz234567";

/** Base32 in lower case, without padding (RFC 4648). */
export function base32(bytes: Uint8Array): string {
  let text = "";
  let held = 0;
  let bits = 0;
  for (const byte of bytes) {
    held = ((held << 8) | byte) & 0xfff;
    bits += 8;
    while (bits >= 5) {
      bits -= 5;
      text += ALPHABET[(held >> bits) & 31];
    }
  }
  if (bits > 0) text += ALPHABET[(held << (5 - bits)) & 31];
  return text;
}

/** Identity of one generation at its backend: 28 characters (140 bits) that tell nothing and cannot be guessed. */
export const tagOf = (
  key: Buffer,
  of: { hubId: string; userId: string; serverId: string; generation: number },
): string =>
  base32(
    createHmac("sha256", key).update(`${of.hubId}\0${of.userId}\0${of.serverId}\0${of.generation}`).digest(),
  ).slice(0, 28);
