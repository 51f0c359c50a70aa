import { createPublicKey, diffieHellman, generateKeyPairSync, hkdfSync, type KeyObject } from "node:crypto";
import { open, seal } from "./aead.ts";

const VERSION = "v1";
/** SubjectPublicKeyInfo of an X25519 key, up to its 32 bytes. */
const SPKI = Buffer.from("302a300506032b656e032100", "hex");

/** A key for one message: its public half goes with the question, the private one never leaves this process. */
export interface MessageKey {
  /** 32 bytes, base64url. */
  readonly publicKey: string;
  /**
   * The text that `sealMessage` sealed for this key in the same `context`. Throws for anything else.
   */
  open(sealed: string, context: string): string;
}

/** A new one. */
export function messageKey(): MessageKey {
  const own = generateKeyPairSync("x25519");
  const publicKey = rawOf(own.publicKey);
  return {
    publicKey,
    open(sealed, context) {
      const [version, sender = "", ...body] = sealed.split(".");
      if (version !== VERSION) throw new TypeError("no sealed message");
      const key = keyOf(own.privateKey, sender, { sender, receiver: publicKey });
      return open(key, body.join("."), context);
    },
  };
}

/**
 * Seals a text for the holder of a one-time key, so that the bus and whoever listens there see none of it: X25519 with a
 * sender's key of its own, HKDF-SHA256 over both public keys, AES-256-GCM bound to `context`. Throws for a key that is none.
 */
export function sealMessage(text: string, publicKey: string, context: string): string {
  const own = generateKeyPairSync("x25519");
  const sender = rawOf(own.publicKey);
  const key = keyOf(own.privateKey, publicKey, { sender, receiver: publicKey });
  return [VERSION, sender, seal(key, text, context)].join(".");
}

const rawOf = (key: KeyObject): string =>
  key.export({ format: "der", type: "spki" }).subarray(SPKI.length).toString("base64url");

function keyOf(
  privateKey: KeyObject,
  other: string,
  { sender, receiver }: { sender: string; receiver: string },
): Buffer {
  const raw = Buffer.from(other, "base64url");
  if (raw.length !== 32) throw new TypeError("no X25519 key");
  const publicKey = createPublicKey({ key: Buffer.concat([SPKI, raw]), format: "der", type: "spki" });
  // A key of low order is refused here: its secret would be the same for everybody.
  const secret = diffieHellman({ privateKey, publicKey });
  return Buffer.from(hkdfSync("sha256", secret, "elara sealed message", `${sender}.${receiver}`, 32));
}
